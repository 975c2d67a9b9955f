#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Per row over its D columns: y = weight (x - mean) / sqrt(var + eps) + bias, biased variance.
///
/// x [N, D], weight and bias [D] or each not given (1 and 0) -> [N, D]. Sums in double; saves mean and
/// 1 / sqrt(var + eps) per row. Ba et al. 2016, "Layer Normalization", arXiv 1607.06450; PyTorch's
/// conventions.
Var layer_norm(Var x, Var weight, Var bias, double eps = 1e-5);

}  // namespace TARN_PRECISION
}  // namespace tarn
