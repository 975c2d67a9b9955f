#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// y_i = x_i - ln sum_j exp(x_ij) on rows: x [N, C] -> [N, C].
Var log_softmax(Var x);
/// ln sum_k exp(x_k) element by element over blocks of equal shape, each less their largest before the
/// exponential.
Var log_sum_exp(std::span<const Var> blocks);

}  // namespace TARN_PRECISION
}  // namespace tarn
