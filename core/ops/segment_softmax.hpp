#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

/// How often a softmax passes over a set of scores: two reads and two writes of exponentials behind the
/// maximum; the same with exponentials computed twice; one sum of mantissas and exponents that needs no
/// maximum; a running maximum whose sum is scaled as it moves. `automatic` takes the first for sets up to
/// 1 MiB and `two_pass`, the fastest out of the second cache, for longer ones.
enum class SoftmaxAlgorithm { automatic, three_pass, three_pass_recompute, two_pass, online };
inline std::span<const std::string_view> enum_names(SoftmaxAlgorithm) {
  static constexpr std::array<std::string_view, 5> names{"auto", "three-pass", "three-pass-recompute",
                                                         "two-pass", "online"};
  return names;
}

struct SegmentSoftmaxOptions {
  double temperature = 1;
  SoftmaxAlgorithm algorithm = SoftmaxAlgorithm::automatic;
};

/// Whether weights are those of a softmax or one-hot at their first largest.
enum class Choice { soft, hard };

struct GumbelSoftmaxOptions {
  double temperature = 1;
  Choice choice = Choice::soft;
};

inline namespace TARN_PRECISION {

/// w_i = exp(s_i / T) / sum_{j in b} exp(s_j / T) per column: scores [N, H] -> weights [N, H].
///
/// A score of minus infinity has weight and gradient 0; a set and column with nothing else has zeros; NaN
/// spreads inside its set and column. All algorithms agree within 1e-6 of the set's largest weight, in double
/// 1e-14. `two_pass` means `three_pass` on processors without fused multiply-add, and for sets with a score
/// beyond 2^18. Time O(N H), no memory beyond the result. Throws ShapeError if the sets do not cover the
/// scores. Dukhan & Ablavatski 2020, "The Two-Pass Softmax Algorithm", arXiv 2001.04438; Milakov & Gimelshein
/// 2018, "Online normalizer calculation for softmax", arXiv 1805.02867.
Var segment_softmax(Var scores, const Segments& sets, const SegmentSoftmaxOptions& options = {});

/// w = softmax((s + g) / T) per set and column, or one-hot at the first largest of it with the gradient of
/// the softmax; scores [N, H] -> [N, H].
///
/// g [N, H] is `noise` where that is given, without gradient; else in training -ln(-ln u), u = (k + 1/2)
/// 2^-32 with k the upper half of draw row H + column of the tape's next stream; else 0. So a draw depends on
/// seed, pass and place alone. Scores of minus infinity as in `segment_softmax`. Time O(N H), memory beyond
/// the result twice its size. Throws ShapeError for sets or noise that do not fit. Jang et al. 2016,
/// "Categorical Reparameterization with Gumbel-Softmax", arXiv 1611.01144; Maddison et al. 2016, arXiv
/// 1611.00712.
Var segment_gumbel_softmax(Var scores, const Segments& sets, Var noise = {},
                           const GumbelSoftmaxOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
