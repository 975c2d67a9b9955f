#pragma once

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// The activation of every number; `none` gives x itself. The gradient of relu at 0 is 0.
Var activate(Var x, Activation activation);
inline Var relu(Var x) {
  return activate(x, Activation::relu);
}

/// a + factor * b, element by element, equal shapes.
Var add(Var a, Var b, double factor = 1);
/// factor * x.
Var scale(Var x, double factor);
/// |a - b| and a * b, element by element, equal shapes. The gradient of |0| is 0.
Var absolute_difference(Var a, Var b);
Var multiply_elements(Var a, Var b);

/// (1 + eps) x with a learned scalar eps [1].
Var scale_by_one_plus(Var x, Var eps);
/// x + b on every row; b [D].
Var add_row(Var x, Var b);

/// Mean over blocks of equal shape.
Var average(std::span<const Var> blocks);
/// Largest over blocks of equal shape; a tie passes its gradient to the first block that attains it.
Var maximum(std::span<const Var> blocks);
/// Blocks side by side: [N, D_1], [N, D_2] -> [N, D_1 + D_2].
Var concat_columns(std::span<const Var> blocks);
/// The same numbers in another shape; no copy.
Var reshape(Var x, const Shape& shape);
/// Mean over H blocks of C columns: [N, H*C] -> [N, C].
Var average_heads(Var x, Size heads);

/// In a training pass zeroes elements with probability p and divides the others by 1 - p, drawing by element
/// position; else x.
Var dropout(Var x, double p);

/// x_i / max(|x_i|, eps) or x_i / (|x_i| + eps) on rows.
enum class NormGuard { maximum, sum };
Var normalize_rows(Var x, double eps, NormGuard guard);

}  // namespace TARN_PRECISION
}  // namespace tarn
