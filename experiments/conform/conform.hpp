#pragma once

#include "tarn/experiments/conform/golden_case.hpp"

#include <string>
#include <vector>

namespace tarn {

struct ConformOptions {
  std::string pattern;                 ///< only cases whose name holds this; "*" and "?" are wild cards
  std::vector<std::string> operators;  ///< only cases of these; empty: all
  bool known_only = false;             ///< skip cases of unknown operators instead of failing them
};

/// How one tensor of a case missed its golden value.
struct Mismatch {
  std::string tensor;  ///< "outputs/y", "gradients/inputs/x"
  std::string text;    ///< largest error, where, got and expected; or what is missing
};

struct ConformResult {
  Size passed = 0;
  Size failed = 0;
  Size skipped = 0;
  std::vector<std::string> lines;  ///< one per failing tensor
};

/// Runs one case forward and backward. In a double build every tensor must meet 1e-9, absolute and relative,
/// in a float build the case's own tolerances. A tensor that is not finite, missing or of another size is a
/// mismatch.
[[nodiscard]] std::vector<Mismatch> check_case(const GoldenCase& golden);

/// Every case of the files. A case of an operator that nobody knows fails, with a suggestion. Throws IoError
/// and DataError for files that cannot be read.
[[nodiscard]] ConformResult conform(const std::vector<std::string>& files, const ConformOptions& options);

}  // namespace tarn
