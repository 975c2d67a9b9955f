#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

namespace tarn {

/// What sigmoids of scores are divided by: nothing, the root of the number of rows, or that number.
enum class LengthNorm { none, sqrt_length, length };
inline std::span<const std::string_view> enum_names(LengthNorm) {
  static constexpr std::array<std::string_view, 3> names{"none", "sqrt-length", "length"};
  return names;
}

struct SegmentSigmoidOptions {
  double temperature = 1;
  std::optional<double> bias;  ///< not set: -ln n
  LengthNorm length_norm = LengthNorm::none;
};

inline namespace TARN_PRECISION {

/// w_i = sigmoid(s_i / T + b) / c per column: scores [N, H] -> weights [N, H], c = 1, sqrt(n) or n.
///
/// n counts the scores of set and column that are not minus infinity, which have weight and gradient 0. Time
/// O(N H), memory beyond the result O(B H). Throws ShapeError if the sets do not cover the scores. Ramapuram
/// et al. 2024, "Theory, Analysis, and Best Practices for Sigmoid Self-Attention", arXiv 2409.04431.
Var segment_sigmoid(Var scores, const Segments& sets, const SegmentSigmoidOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
