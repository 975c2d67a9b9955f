#include "tarn/core/errors.hpp"
#include "tarn/datasets/graphs/file_collection.hpp"
#include "tarn/datasets/graphs/number_lines.hpp"
#include "tarn/datasets/graphs/ogb_files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

using detail::FileCollection;
using detail::LineRule;

constexpr Size most_nodes = std::numeric_limits<NodeId>::max();

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

class OgbReader {
 public:
  explicit OgbReader(const std::filesystem::path& path) : files_(FileCollection::open(path)) {
    records_.name = files_.name();
    records_.source = path.string();
  }

  GraphRecords run() {
    const Columns<std::int64_t> nodes = whole("raw/num-node-list", {.cols = 1});
    num_graphs_ = nodes.rows();
    if (num_graphs_ == 0)
      throw DataError(where("raw/num-node-list") + ": is empty; expected one line a graph");
    records_.node_offsets = offsets("raw/num-node-list", nodes, 1);
    const Columns<std::int64_t> edges = whole("raw/num-edge-list", per_graph(1));
    records_.edge_offsets = offsets("raw/num-edge-list", edges, 2);
    read_edges();
    if (has("raw/node-feat")) {
      records_.node_labels =
          whole("raw/node-feat", {-1, records_.num_nodes(), "node of num-node-list.csv", false});
    }
    if (has("raw/edge-feat")) {
      records_.edge_labels = doubled(whole("raw/edge-feat", per_edge(-1)));
    }
    read_labels();
    for (const char* name : {"scaffold", "random", "species", "project"}) read_split(name);
    return std::move(records_);
  }

 private:
  [[nodiscard]] LineRule per_graph(Size cols) const {
    return {cols, num_graphs_, "graph of num-node-list.csv", false};
  }
  [[nodiscard]] LineRule per_edge(Size cols) const {
    return {cols, records_.num_edges() / 2, "edge of num-edge-list.csv", false};
  }

  /// The file as it is there, packed or not; "" without either.
  [[nodiscard]] std::string file(const std::string& stem) const {
    for (const char* ending : {".csv.gz", ".csv"}) {
      if (files_.has(stem + ending)) return stem + ending;
    }
    return "";
  }
  [[nodiscard]] bool has(const std::string& stem) const { return !file(stem).empty(); }
  [[nodiscard]] std::string where(const std::string& stem) const { return files_.where(file(stem)); }
  [[nodiscard]] std::string text(const std::string& stem) const {
    if (!has(stem)) {
      const std::string folder = stem.substr(0, stem.rfind('/'));
      throw DataError(fmt::format("{}: holds no {}.csv.gz; expected it beside {}", files_.where(folder),
                                  stem.substr(folder.size() + 1), fmt::join(files_.names(folder), ", ")));
    }
    return files_.read_plain(file(stem));
  }
  [[nodiscard]] Columns<std::int64_t> whole(const std::string& stem, const LineRule& rule) const {
    return detail::read_whole_numbers(text(stem), where(stem), rule);
  }

  /// Running sums of counts, each times `factor`.
  [[nodiscard]] std::vector<Size> offsets(const std::string& stem, const Columns<std::int64_t>& counts,
                                          Size factor) const {
    std::vector<Size> result{0};
    for (Size g = 0; g < counts.rows(); ++g) {
      const std::int64_t count = counts.values[idx(g)];
      if (count < 0 || count > most_nodes || result.back() + factor * count > most_nodes) {
        throw DataError(
            fmt::format("{}:{}: {} after {}; expected counts of at least 0 and at most {} together",
                        where(stem), g + 1, count, result.back() / factor, most_nodes / factor));
      }
      result.push_back(result.back() + factor * count);
    }
    return result;
  }

  void read_edges() {
    const Columns<std::int64_t> lines = whole("raw/edge", per_edge(2));
    for (Size g = 0; g < num_graphs_; ++g) {
      const Size nodes = records_.node_offsets[idx(g + 1)] - records_.node_offsets[idx(g)];
      for (Size line = records_.edge_offsets[idx(g)] / 2; line < records_.edge_offsets[idx(g + 1)] / 2;
           ++line) {
        const std::span<const std::int64_t> ends = lines.row(line);
        for (const std::int64_t node : ends) {
          if (node >= 0 && node < nodes) continue;
          throw DataError(fmt::format("{}:{}: node {} in graph {}; expected 0 to {}", where("raw/edge"),
                                      line + 1, node, g, nodes - 1));
        }
        const auto from = static_cast<NodeId>(ends[0]), to = static_cast<NodeId>(ends[1]);
        records_.sources.insert(records_.sources.end(), {from, to});
        records_.targets.insert(records_.targets.end(), {to, from});
      }
    }
  }

  /// Every row twice, for an edge and its reverse.
  static Columns<std::int64_t> doubled(const Columns<std::int64_t>& table) {
    Columns<std::int64_t> result{table.cols, {}};
    for (Size i = 0; i < table.rows(); ++i) {
      for (int copy = 0; copy < 2; ++copy) {
        result.values.insert(result.values.end(), table.row(i).begin(), table.row(i).end());
      }
    }
    return result;
  }

  void read_labels() {
    LineRule rule = per_graph(-1);
    rule.may_miss = true;
    Columns<double> labels =
        detail::read_real_numbers(text("raw/graph-label"), where("raw/graph-label"), rule);
    const bool whole_numbers = std::all_of(labels.values.begin(), labels.values.end(),
                                           [](double v) { return v == std::floor(v) && std::abs(v) < 1e15; });
    if (labels.cols == 1 && whole_numbers) {
      records_.classes.assign(labels.values.begin(), labels.values.end());
    } else {
      records_.targets_of_graphs = std::move(labels);
    }
  }

  void read_split(const std::string& name) {
    const std::string folder = "split/" + name + "/";
    if (!has(folder + "train")) return;
    SplitLists split{name, "distributed with the set", {{}}};
    split.folds[0].train = whole(folder + "train", {.cols = 1}).values;
    split.folds[0].validation = whole(folder + "valid", {.cols = 1}).values;
    split.folds[0].test = whole(folder + "test", {.cols = 1}).values;
    records_.splits.push_back(std::move(split));
  }

  FileCollection files_;
  GraphRecords records_;
  Size num_graphs_ = 0;
};

}  // namespace

GraphRecords read_ogb(const std::filesystem::path& path) {
  GraphRecords records = OgbReader(path).run();
  check_records(records);
  return records;
}

bool is_ogb_folder(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return false;
  if (!std::filesystem::is_directory(path) && path.extension() != ".zip") return false;
  const FileCollection files = FileCollection::open(path);
  return files.has("raw/edge.csv.gz") || files.has("raw/edge.csv");
}

}  // namespace tarn
