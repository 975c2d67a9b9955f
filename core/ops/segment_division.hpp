#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

/// What scores become before they are divided by their sum: max(s, 0); ln(1 + e^s); e^s; 1 / (1 + e^-s);
/// elu(s) + 1; s^2; s.
enum class ScoreMap { relu, softplus, exp, sigmoid, elu1, square, identity };
inline std::span<const std::string_view> enum_names(ScoreMap) {
  static constexpr std::array<std::string_view, 7> names{"relu", "softplus", "exp",     "sigmoid",
                                                         "elu1", "square",   "identity"};
  return names;
}

struct SegmentDivisionOptions {
  double temperature = 1;
  ScoreMap activation = ScoreMap::softplus;
  double eps = 1e-12;
};

inline namespace TARN_PRECISION {

/// w_i = phi(s_i / T) / max(sum_{j in b} |phi(s_j / T)|, eps) per column: scores [N, H] -> weights [N, H].
///
/// Where the sum is at most eps, weights and gradients are 0. `exp` is the softmax, the largest score taken
/// away first. A score of minus infinity has weight and gradient 0 and counts in no sum. Time O(N H), memory
/// beyond the result O(B H). Throws ShapeError if the sets do not cover the scores.
Var segment_division(Var scores, const Segments& sets, const SegmentDivisionOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
