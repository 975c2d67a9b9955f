#pragma once

#include "tarn/datasets/graphs/graph_records.hpp"

#include <filesystem>

namespace tarn {

struct TuOptions {
  /// Numbers that the graph indicator skips are graphs without nodes; the text format has no other way to say
  /// so.
  bool allow_empty_graphs = false;
};

/// Reads a set in the TU text form (Morris et al. 2020, arXiv 2007.08663) from a folder NAME with the files
/// NAME_A.txt, ..., or from NAME.zip that holds them or that folder; the files may also lie in a folder `raw`
/// inside. Other files are ignored. Nothing is merged or sorted.
///
/// Throws IoError or DataError naming the file, the line and the value; see `datasets/graphs/README.md` for
/// the rules.
[[nodiscard]] GraphRecords read_tu(const std::filesystem::path& path, const TuOptions& options = {});

/// Writes the same form: files FOLDER/NAME_A.txt, ..., attributes with 17 digits, so that reading gives the
/// same records; graphs without nodes need `allow_empty_graphs` then. Splits are not part of the form. Throws
/// IoError, and DataError for missing targets, which the form cannot express.
void write_tu(const GraphRecords& records, const std::filesystem::path& folder);

}  // namespace tarn
