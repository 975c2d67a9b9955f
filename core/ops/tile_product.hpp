#pragma once

#include "tarn/core/product.hpp"
#include "tarn/core/view.hpp"

/// Products of small matrices that stay in cache, for use inside parallel loops, where a library's call costs
/// more than the product. Every element is one chain of multiply-adds in the order of the inner index,
/// whatever the block it lies in: the same bits wherever a row stands.
namespace tarn {
inline namespace TARN_PRECISION {

/// The left factor, read as it lies or transposed: element (i, k) is data[i * row_stride + k * inner_stride].
struct TileFactor {
  const Real* data;
  Size row_stride;
  Size inner_stride;
};
[[nodiscard]] inline TileFactor as_it_lies(ConstMatrixView m) {
  return {m.data, m.stride, 1};
}
[[nodiscard]] inline TileFactor transposed(ConstMatrixView m) {
  return {m.data, 1, m.stride};
}

/// C (+)= A B on the calling thread; c.rows is the number of rows of A, b.rows the inner extent.
void tile_product(TileFactor a, ConstMatrixView b, MatrixView c, Write write);

}  // namespace TARN_PRECISION
}  // namespace tarn
