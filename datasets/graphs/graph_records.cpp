#include "tarn/datasets/graphs/graph_records.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

class Check {
 public:
  explicit Check(const GraphRecords& records) : r_(records) {}

  void run() const {
    offsets("node offsets", r_.node_offsets);
    offsets("edge offsets", r_.edge_offsets);
    length("edge offsets", static_cast<Size>(r_.edge_offsets.size()), r_.num_graphs() + 1);
    if (r_.num_graphs() == 0) fail("no graphs", "at least one");
    constexpr Size most = std::numeric_limits<NodeId>::max();
    if (r_.num_nodes() > most || r_.num_edges() > most) {
      fail(fmt::format("{} nodes and {} edges", r_.num_nodes(), r_.num_edges()),
           fmt::format("at most {} of each", most));
    }
    length("sources", static_cast<Size>(r_.sources.size()), r_.num_edges());
    length("targets", static_cast<Size>(r_.targets.size()), r_.num_edges());
    edges();
    lines();
    columns("node attributes", r_.node_attributes, r_.num_nodes());
    columns("node labels", r_.node_labels, r_.num_nodes());
    columns("edge attributes", r_.edge_attributes, r_.num_edges());
    columns("edge labels", r_.edge_labels, r_.num_edges());
    columns("targets of graphs", r_.targets_of_graphs, r_.num_graphs());
    if (!r_.classes.empty()) length("classes", static_cast<Size>(r_.classes.size()), r_.num_graphs());
    if (r_.classes.empty() && !r_.targets_of_graphs.given())
      fail("neither classes nor targets", "one of them");
    finite("node attributes", r_.node_attributes);
    finite("edge attributes", r_.edge_attributes);
    splits();
  }

 private:
  [[noreturn]] void fail(const std::string& given, const std::string& expected) const {
    throw DataError(fmt::format("{}: {}; expected {}", r_.source, given, expected));
  }

  void length(const char* what, Size given, Size expected) const {
    if (given != expected) fail(fmt::format("{} {}", given, what), fmt::format("{}", expected));
  }

  void offsets(const char* what, const std::vector<Size>& list) const {
    if (list.empty() || list.front() != 0) fail(fmt::format("{} do not start at 0", what), "0 first");
    for (std::size_t g = 1; g < list.size(); ++g) {
      if (list[g] < list[g - 1]) {
        fail(fmt::format("{}: entry {} is {} after {}", what, g, list[g], list[g - 1]),
             "numbers that never descend");
      }
    }
  }

  void edges() const {
    for (Size g = 0; g < r_.num_graphs(); ++g) {
      const Size nodes = r_.node_offsets[idx(g + 1)] - r_.node_offsets[idx(g)];
      for (Size e = r_.edge_offsets[idx(g)]; e < r_.edge_offsets[idx(g + 1)]; ++e) {
        const NodeId from = r_.sources[idx(e)], to = r_.targets[idx(e)];
        if (from >= 0 && from < nodes && to >= 0 && to < nodes) continue;
        fail(fmt::format("edge {} of graph {} runs from node {} to node {}", e, g, from, to),
             fmt::format("nodes in [0, {})", nodes));
      }
    }
  }

  void lines() const {
    if (r_.edge_lines.empty()) return;
    length("edge lines", static_cast<Size>(r_.edge_lines.size()), r_.num_edges());
    std::vector<bool> taken(r_.edge_lines.size(), false);
    for (std::size_t e = 0; e < r_.edge_lines.size(); ++e) {
      const Size line = r_.edge_lines[e];
      if (line < 0 || line >= r_.num_edges() || taken[idx(line)]) {
        fail(fmt::format("edge {} has line {}", e, line),
             fmt::format("each of 0 to {} once", r_.num_edges() - 1));
      }
      taken[idx(line)] = true;
    }
  }

  template <class T>
  void columns(const char* what, const Columns<T>& table, Size rows) const {
    if (!table.given()) return;
    if (static_cast<Size>(table.values.size()) != rows * table.cols) {
      fail(fmt::format("{} {} in {} columns", table.values.size(), what, table.cols),
           fmt::format("{} rows", rows));
    }
  }

  void splits() const {
    for (const SplitLists& split : r_.splits) {
      if (split.name.empty() || split.name.find('/') != std::string::npos) {
        fail(fmt::format("a split named '{}'", split.name), "a name without '/'");
      }
      for (std::size_t k = 0; k < split.folds.size(); ++k) {
        const Fold& fold = split.folds[k];
        for (const std::vector<Size>* list : {&fold.train, &fold.validation, &fold.test}) {
          for (const Size graph : *list) {
            if (graph >= 0 && graph < r_.num_graphs()) continue;
            fail(fmt::format("split {}, fold {}: graph {}", split.name, k, graph),
                 fmt::format("0 to {}", r_.num_graphs() - 1));
          }
        }
      }
    }
  }

  void finite(const char* what, const Columns<double>& table) const {
    for (std::size_t i = 0; i < table.values.size(); ++i) {
      if (std::isfinite(table.values[i])) continue;
      fail(fmt::format("{}: row {} holds {}", what, static_cast<Size>(i) / table.cols, table.values[i]),
           "finite numbers");
    }
  }

  const GraphRecords& r_;
};

}  // namespace

void check_records(const GraphRecords& records) {
  Check(records).run();
}

}  // namespace tarn
