#pragma once

#include "tarn/datasets/graphs/graph_records.hpp"

#include <filesystem>
#include <string>

namespace tarn {

/// Reads a set of graphs from whatever lies at `path`: a graph store, an OGB folder, a TU folder or zip.
/// Splits that lie beside a TU set, NAME-splits.json, come with it. Throws IoError or DataError.
[[nodiscard]] GraphRecords read_graphs(const std::filesystem::path& path);

/// Finds the TU set NAME, as NAME.zip or a folder NAME, in the first of: `root` where it is given, the folder
/// that the environment's TARN_DATA names, ../shared/data/tu. Throws IoError that says where it looked and
/// where the set can be had.
[[nodiscard]] std::filesystem::path find_tu_set(const std::string& name, const std::string& root);

/// The split file that belongs to a set at `path`: NAME-splits.json beside it.
[[nodiscard]] std::filesystem::path splits_beside(const std::filesystem::path& path);

}  // namespace tarn
