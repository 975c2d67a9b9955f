#pragma once

#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Mean over all entries of (softmax(logits) - y)^2, y 1 at the label and 0 elsewhere. logits [B, C], labels
/// [B] in 0 .. C-1 -> [1]; B = 0 gives 0. The loss of the public code of Krachmalnicoff & Tomasi 2019, arXiv
/// 1902.04083. Throws ShapeError for another count, ValueError naming the first label outside the classes.
[[nodiscard]] Var softmax_squared_error(Var logits, std::span<const Size> labels);

/// Means with their deviations: the mean over sets of sum_t (e^2 + (e^2 - s^2)^2), e = target - y_t, s =
/// y_T+t. y [B, 2 T], targets [B, T] row-major -> [1]; B = 0 gives 0. At its minimum y_t is the posterior
/// mean and |y_T+t| the posterior deviation. Jeffrey & Wandelt 2020, arXiv 2011.05991. Throws ShapeError for
/// another count.
[[nodiscard]] Var moment_loss(Var y, std::span<const double> targets);

}  // namespace TARN_PRECISION
}  // namespace tarn
