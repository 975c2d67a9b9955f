#pragma once

#include "tarn/core/ops/set_norm.hpp"

namespace tarn {

/// What batch norm does with a training batch of one row, which has no variance.
enum class SingleRow { refuse, use_running, bias_alone };

inline namespace TARN_PRECISION {

/// What batch norm keeps from step to step, and how.
struct BatchNormState {
  Parameter& running_mean;
  Parameter& running_var;
  double eps = 1e-5;
  double momentum = 0.1;
  SingleRow single_row = SingleRow::refuse;
};

/// Per channel over all N rows: y = weight (x - mean) / sqrt(var + eps) + bias, then the activation.
///
/// x [N, C], weight and bias [C] or both not given. In a training pass: the batch's mean and biased variance,
/// and running = (1 - momentum) running + momentum * (mean, unbiased variance); otherwise the running values.
/// Training on zero rows gives [0, C] and leaves the state alone. On one row it throws ShapeError naming
/// `where`, or leaves the running values alone and either takes them or gives the bias. Ioffe & Szegedy 2015, arXiv 1502.03167;
/// PyTorch's conventions. For the passes over memory see `normalize_sets`.
Var batch_norm(Var x, Var weight, Var bias, const BatchNormState& state,
               Activation activation = Activation::none, const char* where = "batch-norm");

}  // namespace TARN_PRECISION
}  // namespace tarn
