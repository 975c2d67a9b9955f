#pragma once

#include "tarn/datasets/graphs/graph_records.hpp"

#include <filesystem>

namespace tarn {

/// Reads a folder (or zip) of the Open Graph Benchmark's graph property sets (Hu et al. 2020, arXiv
/// 2005.00687): raw/edge.csv, num-node-list.csv, num-edge-list.csv, graph-label.csv, and where they are there
/// node-feat.csv and edge-feat.csv of integers and split/NAME/{train,valid,test}.csv for NAME scaffold,
/// random, species or project; each may be packed as .csv.gz.
///
/// Edges are listed once there and get their reverse, with the same features, right behind them. Integer
/// features become label columns. One column of whole labels without gaps becomes classes, anything else
/// targets with NaN for a missing one. Throws IoError or DataError naming file, line and value.
[[nodiscard]] GraphRecords read_ogb(const std::filesystem::path& path);

/// True if the folder looks like one: it holds raw/edge.csv or raw/edge.csv.gz.
[[nodiscard]] bool is_ogb_folder(const std::filesystem::path& path);

}  // namespace tarn
