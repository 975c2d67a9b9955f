#pragma once

#include "tarn/core/ops/activation.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// y = activation([x_1, x_2, ...] W^T + b) on rows, the blocks of columns side by side without a copy.
///
/// x_k [N, D_k], weight [out, sum D_k], bias [out] or not given -> [N, out]. Product, bias and activation in
/// one pass; the backward pass reads the derivative off the output, for gelu off the input, which is kept.
/// Time O(N out D). Throws ShapeError when widths or rows do not fit.
Var linear(std::span<const Var> blocks, Var weight, Var bias = {}, Activation activation = Activation::none);
inline Var linear(Var x, Var weight, Var bias = {}, Activation activation = Activation::none) {
  return linear(std::span<const Var>(&x, 1), weight, bias, activation);
}

/// A gated linear unit, y = a gelu(b) with [a, b] = x W^T + bias: weight [2 out, D], bias [2 out] or not
/// given
/// -> [N, out]. The gate runs while the product is in cache. Shazeer 2020, "GLU Variants Improve
/// Transformer", arXiv 2002.05202 (GEGLU).
Var linear_gated_gelu(Var x, Var weight, Var bias = {});

/// y = x M, M [D, out] as it lies: x [N, D] -> [N, out]. With M the weight of a linear layer this is its
/// transpose.
Var multiply_by(Var x, Var matrix);

}  // namespace TARN_PRECISION
}  // namespace tarn
