#include "tarn/core/ops/tile_product.hpp"

#include <cstring>

namespace tarn {

namespace {

/// Rows of one block: as many as leave room in the registers for two vectors of each.
constexpr Size tile_rows = tile_lanes * sizeof(Real) == 64 ? 8 : 4;

/// rows x (vectors * width of V) block of C (+)= A B.
template <class V, Size rows, Size vectors>
[[gnu::always_inline]] inline void product_block(TileFactor a, ConstMatrixView b, Size inner, Real* c,
                                                 Size c_stride, Write write) {
  constexpr Size lanes = static_cast<Size>(sizeof(V) / sizeof(Real));
  V sums[rows][vectors];
#pragma GCC unroll 8
  for (Size r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (Size v = 0; v < vectors; ++v) {
      sums[r][v] = V{};
      if (write == Write::add) std::memcpy(&sums[r][v], c + r * c_stride + v * lanes, sizeof(V));
    }
  }
  for (Size k = 0; k < inner; ++k) {
    V columns[vectors];
#pragma GCC unroll 2
    for (Size v = 0; v < vectors; ++v) std::memcpy(&columns[v], b.row(k) + v * lanes, sizeof(V));
#pragma GCC unroll 8
    for (Size r = 0; r < rows; ++r) {
      const Real value = a.data[r * a.row_stride + k * a.inner_stride];
#pragma GCC unroll 2
      for (Size v = 0; v < vectors; ++v) sums[r][v] += value * columns[v];
    }
  }
#pragma GCC unroll 8
  for (Size r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (Size v = 0; v < vectors; ++v) std::memcpy(c + r * c_stride + v * lanes, &sums[r][v], sizeof(V));
  }
}

/// All rows of the columns that one block is wide.
template <class V, Size vectors>
void product_columns(TileFactor a, ConstMatrixView b, MatrixView c, Write write) {
  const auto from = [&](Size i) {
    return TileFactor{a.data + i * a.row_stride, a.row_stride, a.inner_stride};
  };
  Size i = 0;
  for (; i + tile_rows <= c.rows; i += tile_rows) {
    product_block<V, tile_rows, vectors>(from(i), b, b.rows, c.row(i), c.stride, write);
  }
  if constexpr (tile_rows > 4) {
    if (i + 4 <= c.rows) {
      product_block<V, 4, vectors>(from(i), b, b.rows, c.row(i), c.stride, write);
      i += 4;
    }
  }
  if (i + 2 <= c.rows) {
    product_block<V, 2, vectors>(from(i), b, b.rows, c.row(i), c.stride, write);
    i += 2;
  }
  if (i < c.rows) product_block<V, 1, vectors>(from(i), b, b.rows, c.row(i), c.stride, write);
}

/// Columns from `column` on, as long as blocks of `vectors` vectors V fit.
template <class V, Size vectors>
Size take_columns(TileFactor a, ConstMatrixView b, MatrixView c, Write write, Size column) {
  constexpr Size width = vectors * static_cast<Size>(sizeof(V) / sizeof(Real));
  for (; column + width <= c.cols; column += width) {
    product_columns<V, vectors>(a, b.column_block(column, column + width),
                                c.column_block(column, column + width), write);
  }
  return column;
}

using Vector = Real __attribute__((vector_size(tile_lanes * sizeof(Real))));
using Half = Real __attribute__((vector_size(tile_lanes * sizeof(Real) / 2)));
using Quarter = Real __attribute__((vector_size(tile_lanes * sizeof(Real) / 4)));

}  // namespace

inline namespace TARN_PRECISION {

void tile_product(TileFactor a, ConstMatrixView b, MatrixView c, Write write) {
  Size column = take_columns<Vector, 2>(a, b, c, write, 0);
  column = take_columns<Vector, 1>(a, b, c, write, column);
  column = take_columns<Half, 1>(a, b, c, write, column);
  column = take_columns<Quarter, 1>(a, b, c, write, column);
  take_columns<Real, 1>(a, b, c, write, column);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
