#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Per channel over all N rows: y = weight (x - mean) / sqrt(var + eps) + bias.
///
/// x [N, C], weight and bias [C] or both not given. In a training pass: the batch's mean and biased variance,
/// and running = (1 - momentum) running + momentum * (mean, unbiased variance); otherwise the running values.
/// Training on zero rows gives [0, C] and leaves the state alone; on one row it throws ShapeError naming
/// `where`. Ioffe & Szegedy 2015, arXiv 1502.03167; PyTorch's conventions.
Var batch_norm(Var x, Var weight, Var bias, Parameter& running_mean, Parameter& running_var, double eps,
               double momentum, const char* where = "batch-norm");

}  // namespace TARN_PRECISION
}  // namespace tarn
