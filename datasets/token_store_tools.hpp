#pragma once

#include "tarn/core/real.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// Rewrites a token store with contiguous data sets, which a reader maps instead of copying. Rows beyond the
/// readable ones, and data sets and attributes that the format does not know, are left out. Throws what
/// opening a store throws, and IoError; `out` appears whole or not at all.
void convert_store(const std::filesystem::path& in, const std::filesystem::path& out);

struct StoreReport {
  std::string text;  ///< attributes and, per split, counts; many lines
  std::vector<std::string>
      violations;  ///< the rules that the file breaks, one line each; none for a good store
};

/// Reads everything in a store and checks every rule. `show_rows` first texts of each split are shown with
/// their tokens. Throws IoError if the file cannot be opened; a file that breaks a rule is reported.
[[nodiscard]] StoreReport inspect_store(const std::filesystem::path& path, Size show_rows = 0);

}  // namespace tarn
