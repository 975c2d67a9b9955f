#pragma once

#include "tarn/core/ops/linear.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Per row, over each of G consecutive groups of channels: y = weight (x - mean) / sqrt(var + eps) + bias,
/// biased variance, then the activation (none or relu) in the same pass.
///
/// x [N, C], weight and bias [C] -> [N, C]. Sums in double; keeps mean and 1 / sqrt(var + eps) of each group.
/// Throws ShapeError unless G divides C. Wu & He 2018, "Group Normalization", arXiv 1803.08494.
Var group_norm(Var x, Var weight, Var bias, Size groups, double eps = 1e-5,
               Activation activation = Activation::none);

}  // namespace TARN_PRECISION
}  // namespace tarn
