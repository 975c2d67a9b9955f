#include "tarn/datasets/graphs/graph_set.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/edge_merger.hpp"
#include "tarn/datasets/graphs/one_hot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

using detail::EdgeMerger;
using detail::LabelColumn;

constexpr Size small_class = 10;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

enum class Extra { none, degree, degree_max, constant, degree_value };

/// The option `features`, read.
struct ExtraFeatures {
  Extra kind = Extra::none;
  Size most = 0;  ///< of degree-max

  [[nodiscard]] static ExtraFeatures parse(const std::string& text, bool others) {
    if (text == "auto") return {others ? Extra::none : Extra::degree};
    if (text == "none") return {};
    if (text == "degree") return {Extra::degree};
    if (text == "constant") return {Extra::constant};
    if (text == "degree-value") return {Extra::degree_value};
    constexpr std::string_view prefix = "degree-max:";
    if (text.starts_with(prefix)) {
      ExtraFeatures extra{Extra::degree_max};
      const char* const end = text.data() + text.size();
      const auto [stop, error] = std::from_chars(text.data() + prefix.size(), end, extra.most);
      if (error == std::errc() && stop == end && extra.most >= 1 && extra.most <= detail::widest_one_hot)
        return extra;
    }
    throw ConfigError(
        fmt::format("features: got '{}'; expected auto, none, degree, degree-max:K with K from 1 to {}, "
                    "constant or degree-value",
                    text, detail::widest_one_hot));
  }

  [[nodiscard]] std::string text() const {
    switch (kind) {
      case Extra::degree:
        return "degree";
      case Extra::degree_max:
        return fmt::format("degree-max:{}", most);
      case Extra::constant:
        return "constant";
      case Extra::degree_value:
        return "degree-value";
      default:
        return "";
    }
  }
};

}  // namespace

struct GraphSet::Storage {
  std::string name, features;
  std::vector<Graph> graphs;
  std::vector<Size> node_offsets{0}, edge_offsets{0};
  Size feature_dim = 0, edge_dim = 0;
  // Node features: real numbers [N, R] for the columns real_columns, and for each one-hot part the column [N,
  // P].
  std::vector<Size> real_columns, edge_real_columns;
  std::vector<Real> reals;
  Size parts = 0;
  std::vector<NodeId> hot;
  std::vector<Real> edge_features;  // [E, edge_dim]
  std::vector<Size> classes;
  std::vector<std::int64_t> class_values;
  Columns<double> targets;
  std::vector<SplitLists> splits;
  GraphSetFindings findings;
};

namespace {

class SetMaker {
 public:
  SetMaker(const GraphRecords& records, const GraphSetOptions& options)
      : r_(records), o_(options), set_(std::make_shared<GraphSet::Storage>()) {}

  std::shared_ptr<const GraphSet::Storage> run() {
    check_records(r_);
    set_->name = r_.name;
    set_->splits = r_.splits;
    set_->targets = r_.targets_of_graphs;
    node_labels_ = detail::label_columns(r_.node_labels, r_.source + ": node labels");
    edge_labels_ = detail::label_columns(r_.edge_labels, r_.source + ": edge labels");
    make_classes();
    make_graphs();
    make_node_features();
    describe_findings();
    return std::move(set_);
  }

 private:
  void make_classes() {
    std::map<std::int64_t, Size> counts;
    for (const std::int64_t c : r_.classes) ++counts[c];
    std::map<std::int64_t, Size> number;
    for (const auto& [value, count] : counts) {
      number.emplace(value, static_cast<Size>(set_->class_values.size()));
      set_->class_values.push_back(value);
      if (count >= small_class) continue;
      warn(fmt::format("class {} has {} {}, fewer than {}", value, count, count == 1 ? "graph" : "graphs",
                       small_class));
    }
    for (const std::int64_t c : r_.classes) set_->classes.push_back(number.at(c));
  }

  void make_graphs() {
    set_->edge_dim = one_hot_width(edge_labels_) + (o_.use_edge_attributes ? r_.edge_attributes.cols : 0);
    for (Size c = 0; o_.use_edge_attributes && c < r_.edge_attributes.cols; ++c)
      set_->edge_real_columns.push_back(c);
    EdgeMerger edges;
    for (Size g = 0; g < r_.num_graphs(); ++g) {
      const Size nodes = r_.node_offsets[idx(g + 1)] - r_.node_offsets[idx(g)];
      const Size first = r_.edge_offsets[idx(g)];
      const auto count = idx(r_.edge_offsets[idx(g + 1)] - first);
      edges.run(nodes, std::span(r_.sources).subspan(idx(first), count),
                std::span(r_.targets).subspan(idx(first), count),
                o_.keep_multi_edges ? EdgeMerger::Duplicates::keep : EdgeMerger::Duplicates::merge);
      count_findings(edges);
      set_->graphs.push_back(graph_of(edges, nodes));
      add_edge_features(edges, first);
      for (Size v = 0; v < nodes; ++v) {
        degrees_.push_back(edges.out_offsets()[idx(v + 1)] - edges.out_offsets()[idx(v)]);
      }
      set_->node_offsets.push_back(set_->node_offsets.back() + nodes);
      set_->edge_offsets.push_back(set_->edge_offsets.back() + set_->graphs.back().num_edges());
    }
  }

  static Graph graph_of(const EdgeMerger& edges, Size nodes) {
    if (!edges.symmetric()) return Graph::from_edges(nodes, edges.sources(), edges.targets());
    return Graph::from_symmetric_csr({edges.offsets().begin(), edges.offsets().end()},
                                     {edges.sources().begin(), edges.sources().end()});
  }

  void count_findings(const EdgeMerger& edges) {
    GraphSetFindings& f = set_->findings;
    f.loops += edges.loops();
    f.duplicates += edges.duplicates();
    f.one_way += edges.one_way();
    f.isolated += edges.isolated();
    f.uneven = f.uneven || edges.uneven();
  }

  /// Sums over the lines that each edge was merged from.
  void add_edge_features(const EdgeMerger& edges, Size first) {
    const Size width = set_->edge_dim;
    if (width == 0) return;
    const Size attributes = o_.use_edge_attributes ? r_.edge_attributes.cols : 0;
    std::vector<Real>& all = set_->edge_features;
    for (std::size_t k = 0; k < edges.sources().size(); ++k) {
      all.resize(all.size() + idx(width));
      const std::span<Real> row = std::span(all).last(idx(width));
      for (Size i = edges.merged()[k]; i < edges.merged()[k + 1]; ++i) {
        const Size e = first + edges.order()[idx(i)];
        for (Size c = 0; c < attributes; ++c)
          row[idx(c)] += static_cast<Real>(r_.edge_attributes.row(e)[idx(c)]);
        Size begin = attributes;
        for (std::size_t c = 0; c < edge_labels_.size(); ++c) {
          row[idx(begin + r_.edge_labels.row(e)[c] - edge_labels_[c].minimum)] += 1;
          begin += edge_labels_[c].width;
        }
      }
    }
  }

  void make_node_features() {
    const Size attributes = o_.use_node_attributes ? r_.node_attributes.cols : 0;
    const ExtraFeatures extra = ExtraFeatures::parse(o_.features, attributes > 0 || !node_labels_.empty());
    for (Size c = 0; c < attributes; ++c) set_->real_columns.push_back(c);
    const Size labels = attributes + one_hot_width(node_labels_);
    const std::vector<Size> place = degree_places(extra);
    if (extra.kind == Extra::degree_value) set_->real_columns.push_back(labels);
    set_->feature_dim = labels + (extra.kind == Extra::degree_max ? extra.most + 1
                                  : extra.kind == Extra::degree   ? num_degrees_
                                  : extra.kind == Extra::none     ? 0
                                                                  : 1);
    const bool hot_extra = extra.kind != Extra::none && extra.kind != Extra::degree_value;
    set_->parts = static_cast<Size>(node_labels_.size()) + (hot_extra ? 1 : 0);
    for (Size v = 0; v < r_.num_nodes(); ++v) {
      for (Size c = 0; c < attributes; ++c)
        set_->reals.push_back(static_cast<Real>(r_.node_attributes.row(v)[idx(c)]));
      Size begin = attributes;
      for (std::size_t c = 0; c < node_labels_.size(); ++c) {
        set_->hot.push_back(static_cast<NodeId>(begin + r_.node_labels.row(v)[c] - node_labels_[c].minimum));
        begin += node_labels_[c].width;
      }
      if (hot_extra) set_->hot.push_back(static_cast<NodeId>(labels + (place.empty() ? 0 : place[idx(v)])));
      if (extra.kind == Extra::degree_value) {
        const auto degree = static_cast<double>(degrees_[idx(v)]);
        set_->reals.push_back(static_cast<Real>(o_.log_degree ? std::log1p(degree) : degree));
      }
    }
    name_features(attributes > 0, extra);
  }

  /// The one-hot column of each node's degree, from 0; empty where degrees are not one-hot.
  std::vector<Size> degree_places(const ExtraFeatures& extra) {
    std::vector<Size> place;
    if (extra.kind == Extra::degree) {
      std::vector<Size> distinct = degrees_;
      std::sort(distinct.begin(), distinct.end());
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      num_degrees_ = static_cast<Size>(distinct.size());
      for (const Size d : degrees_)
        place.push_back(std::lower_bound(distinct.begin(), distinct.end(), d) - distinct.begin());
    } else if (extra.kind == Extra::degree_max) {
      for (const Size d : degrees_) place.push_back(std::min(d, extra.most));
    }
    return place;
  }

  void name_features(bool attributes, const ExtraFeatures& extra) {
    const auto add = [&](const std::string& part) {
      if (!part.empty()) set_->features += (set_->features.empty() ? "" : "+") + part;
    };
    if (attributes) add("attributes");
    if (!node_labels_.empty()) add("labels");
    add(extra.text());
    if (set_->feature_dim > 0) return;
    throw ConfigError(fmt::format(
        "features: got '{}' for {}, whose nodes have no labels{}; expected auto or degree", o_.features,
        r_.name, r_.node_attributes.given() ? " (and use_node_attributes is false)" : ""));
  }

  static Size one_hot_width(const std::vector<LabelColumn>& labels) {
    Size width = 0;
    for (const LabelColumn& l : labels) width += l.width;
    return width;
  }

  void describe_findings() {
    const GraphSetFindings& f = set_->findings;
    if (f.loops > 0) warn(fmt::format("{} self loops were removed", f.loops));
    if (f.duplicates > 0) {
      warn(fmt::format("{} lines repeat an edge{}", f.duplicates,
                       o_.keep_multi_edges ? "; all were kept" : " and were merged with it"));
    }
    if (f.uneven && f.duplicates > 0 && (r_.edge_labels.given() || r_.edge_attributes.given())) {
      warn("some edges are listed more often than others, so that their summed attributes do not compare");
    }
    if (f.one_way > 0) warn(fmt::format("{} edges have no reverse", f.one_way));
    if (f.isolated > 0) warn(fmt::format("{} nodes have no edge", f.isolated));
  }

  void warn(const std::string& text) {
    set_->findings.warnings.push_back(fmt::format("{}: {}", r_.name, text));
  }

  const GraphRecords& r_;
  const GraphSetOptions& o_;
  std::shared_ptr<GraphSet::Storage> set_;
  std::vector<LabelColumn> node_labels_, edge_labels_;
  std::vector<Size> degrees_;
  Size num_degrees_ = 0;
};

}  // namespace

GraphSet GraphSet::make(const GraphRecords& records, const GraphSetOptions& options) {
  return GraphSet(SetMaker(records, options).run());
}

const std::string& GraphSet::name() const {
  return storage_->name;
}
const std::string& GraphSet::features() const {
  return storage_->features;
}
Size GraphSet::num_graphs() const {
  return static_cast<Size>(storage_->graphs.size());
}
Size GraphSet::num_nodes() const {
  return storage_->node_offsets.back();
}
Size GraphSet::num_edges() const {
  return storage_->edge_offsets.back();
}
const Graph& GraphSet::graph(Size g) const {
  return storage_->graphs[idx(g)];
}
Size GraphSet::feature_dim() const {
  return storage_->feature_dim;
}
Size GraphSet::edge_dim() const {
  return storage_->edge_dim;
}
std::span<const Size> GraphSet::classes() const {
  return storage_->classes;
}
std::span<const std::int64_t> GraphSet::class_values() const {
  return storage_->class_values;
}
const Columns<double>& GraphSet::targets() const {
  return storage_->targets;
}
const std::vector<SplitLists>& GraphSet::splits() const {
  return storage_->splits;
}
const GraphSetFindings& GraphSet::findings() const {
  return storage_->findings;
}
std::span<const Size> GraphSet::real_columns() const {
  return storage_->real_columns;
}
std::span<const Size> GraphSet::real_edge_columns() const {
  return storage_->edge_real_columns;
}

void GraphSet::write_features(Size g, MatrixView x) const {
  const Storage& s = *storage_;
  const Size first = s.node_offsets[idx(g)];
  const auto reals = static_cast<Size>(s.real_columns.size());
  for (Size i = 0; i < x.rows; ++i) {
    Real* const row = x.row(i);
    std::fill_n(row, x.cols, Real{0});
    for (Size c = 0; c < reals; ++c) row[s.real_columns[idx(c)]] = s.reals[idx((first + i) * reals + c)];
    for (Size p = 0; p < s.parts; ++p) row[s.hot[idx((first + i) * s.parts + p)]] = 1;
  }
}

void GraphSet::write_edge_features(Size g, MatrixView attr) const {
  const Storage& s = *storage_;
  const Size first = s.edge_offsets[idx(g)];
  for (Size e = 0; e < attr.rows; ++e) {
    std::copy_n(s.edge_features.data() + (first + e) * s.edge_dim, s.edge_dim, attr.row(e));
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
