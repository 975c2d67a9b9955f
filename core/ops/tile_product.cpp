#include "tarn/core/ops/tile_product.hpp"

#include "tarn/core/ops/simd.hpp"

namespace tarn {

namespace {

/// Rows of one block: as many as leave room in the registers for two vectors of each.
constexpr Size tile_rows = simd_lanes * sizeof(Real) == 64 ? 8 : 4;

/// `rows` rows of C (+)= A B, one block of columns wide; the block's first numbers are at b and c.
template <class Block, Size rows>
[[gnu::always_inline]] inline void product_block(TileFactor a, const Real* b, Size b_stride, Size inner,
                                                 Real* c, Size c_stride, Write write) {
  using V = typename Block::Vector;
  V sums[rows][Block::count];
#pragma GCC unroll 8
  for (Size r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (Size v = 0; v < Block::count; ++v) {
      sums[r][v] = write == Write::add ? simd::load<V>(c + r * c_stride + v * Block::lanes) : V{};
    }
  }
  for (Size k = 0; k < inner; ++k) {
    V columns[Block::count];
#pragma GCC unroll 2
    for (Size v = 0; v < Block::count; ++v) columns[v] = simd::load<V>(b + k * b_stride + v * Block::lanes);
#pragma GCC unroll 8
    for (Size r = 0; r < rows; ++r) {
      const Real value = a.data[r * a.row_stride + k * a.inner_stride];
#pragma GCC unroll 2
      for (Size v = 0; v < Block::count; ++v) sums[r][v] += value * columns[v];
    }
  }
#pragma GCC unroll 8
  for (Size r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (Size v = 0; v < Block::count; ++v) simd::store(c + r * c_stride + v * Block::lanes, sums[r][v]);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

void tile_product(TileFactor a, ConstMatrixView b, MatrixView c, Write write) {
  simd::for_columns<2>(c.cols, [&](auto block, Size column) {
    using Block = decltype(block);
    Size i = 0;
    const auto take = [&](auto count) {
      constexpr Size rows = decltype(count)::value;
      for (; i + rows <= c.rows; i += rows) {
        product_block<Block, rows>({a.data + i * a.row_stride, a.row_stride, a.inner_stride}, b.data + column,
                                   b.stride, b.rows, c.row(i) + column, c.stride, write);
      }
    };
    take(std::integral_constant<Size, tile_rows>{});
    if constexpr (tile_rows > 4) take(std::integral_constant<Size, 4>{});
    take(std::integral_constant<Size, 2>{});
    take(std::integral_constant<Size, 1>{});
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
