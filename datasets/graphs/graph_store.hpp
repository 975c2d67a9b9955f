#pragma once

#include "tarn/datasets/graphs/graph_records.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

// A set of graphs as one HDF5 file. Root attributes: `format` (tarn-graph-store), `version` (1), `name`,
// `num_node_attributes`, `num_edge_attributes`, and per label column `node_label_min`, `node_label_width`,
// `edge_label_min`, `edge_label_width`. Data sets:
//
// offsets [G+1], edge_offsets [G+1]   nodes and edges of each graph
// x [N, F]                            node attributes, then each label column one-hot; integers without
// attributes edges [2, E]                        source, target, numbered inside the graph; in the order of
// the files edge_attr [E, F]                    edge attributes, then labels, as in x edge_lines [E] line
// that an edge had, where they were not graph by graph labels [G], classes [C]             class numbers 0 ..
// C-1, and the raw values that they stand for targets [G, T]                      real targets or 0/1 tasks,
// NaN where one is missing splits/NAME/{train,validation,test}/K   graph numbers of fold K; attribute `about`
// on splits/NAME
//
// What a set does not have is left out. Nothing is merged, so that a set read from it equals the one written.

/// Throws DataError for records that do not fit, IoError; the file appears whole or not at all.
void write_graph_store(const std::filesystem::path& path, const GraphRecords& records);

/// Throws IoError if it cannot be opened, DataError naming the data set and row that breaks the format.
[[nodiscard]] GraphRecords read_graph_store(const std::filesystem::path& path);

/// True for an HDF5 file whose `format` says that it is one.
[[nodiscard]] bool is_graph_store(const std::filesystem::path& path);

/// What a set holds, many lines: counts, sizes, classes, columns, splits.
[[nodiscard]] std::string describe_graphs(const GraphRecords& records);

}  // namespace tarn
