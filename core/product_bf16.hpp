#pragma once

#include "tarn/core/product.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// The kernel of products in bfloat16: C (+)= op(A) op(B) on the calling thread, A and B rounded to bfloat16
/// (to nearest, ties to even), sums in Real. By oneDNN where it has such products, else a product of the
/// rounded numbers: the same up to the order of the sums. For product.cpp alone.
void bf16_product_kernel(ConstMatrixView a, Transpose transpose_a, ConstMatrixView b, Transpose transpose_b,
                         MatrixView c, Write write);

}  // namespace TARN_PRECISION
}  // namespace tarn
