#pragma once

#include "tarn/core/product.hpp"
#include "tarn/core/view.hpp"

/// Products of small matrices that stay in cache, for use inside parallel loops, where a library's call costs
/// more than the product. Every element is one chain of multiply-adds in the order of the inner index,
/// whatever the block it lies in: the same bits wherever a row stands.
namespace tarn {
inline namespace TARN_PRECISION {

/// Numbers in a vector; products are fastest over whole ones.
#if defined(__AVX512F__)
inline constexpr Size tile_lanes = 64 / static_cast<Size>(sizeof(Real));
#else
inline constexpr Size tile_lanes = 32 / static_cast<Size>(sizeof(Real));
#endif
/// n rounded up to whole vectors.
[[nodiscard]] constexpr Size whole_tiles(Size n) {
  return (n + tile_lanes - 1) / tile_lanes * tile_lanes;
}

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
