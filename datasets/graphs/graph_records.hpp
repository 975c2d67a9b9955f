#pragma once

#include "tarn/datasets/graphs/columns.hpp"
#include "tarn/datasets/graphs/split_lists.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tarn {

/// Labelled graphs as their files give them: nothing is merged, sorted or encoded, so that they can be
/// written again without loss. `GraphSet` makes them ready for training.
///
/// Graph g owns nodes node_offsets[g] .. node_offsets[g+1]-1 and edges edge_offsets[g] ..
/// edge_offsets[g+1]-1.
struct GraphRecords {
  std::string name;                   ///< of the set
  std::string source;                 ///< how messages call where it comes from
  std::vector<Size> node_offsets{0};  ///< [G+1]
  std::vector<Size> edge_offsets{0};  ///< [G+1]
  std::vector<NodeId> sources;        ///< [E] numbered inside the graph
  std::vector<NodeId> targets;        ///< [E]
  std::vector<Size> edge_lines;       ///< [E] line (from 0) that an edge had; empty: the order of the edges
  Columns<double> node_attributes;    ///< [N, ...]
  Columns<std::int64_t> node_labels;  ///< [N, ...]
  Columns<double> edge_attributes;    ///< [E, ...]
  Columns<std::int64_t> edge_labels;  ///< [E, ...]
  std::vector<std::int64_t> classes;  ///< [G] raw class of each graph; empty if there are none
  Columns<double> targets_of_graphs;  ///< [G, T] real targets, or 0/1 tasks; NaN where one is missing
  std::vector<SplitLists> splits;     ///< that came with the set

  [[nodiscard]] Size num_graphs() const { return static_cast<Size>(node_offsets.size()) - 1; }
  [[nodiscard]] Size num_nodes() const { return node_offsets.back(); }
  [[nodiscard]] Size num_edges() const { return edge_offsets.back(); }
};

/// Throws DataError, naming `records.source` and the first graph, edge, node or list that does not fit.
void check_records(const GraphRecords& records);

}  // namespace tarn
