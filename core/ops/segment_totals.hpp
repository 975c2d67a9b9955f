#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/view.hpp"

#include <limits>
#include <type_traits>

namespace tarn {
inline namespace TARN_PRECISION {

/// Columns that a reduction works on at a time: their totals stay in the nearest cache.
constexpr Size tile_columns = 128;

/// f(cols), with the usual widths as constants of the compiler: loops over them cost half of what loops of
/// unknown length cost.
template <class F>
decltype(auto) with_columns(Size cols, F f) {
  if (cols == tile_columns) return f(std::integral_constant<Size, tile_columns>());
  if (cols == tile_columns / 2) return f(std::integral_constant<Size, tile_columns / 2>());
  return f(cols);
}

/// a b within the range of a double, so that a later factor of zero makes the product zero.
inline double bounded_product(double a, double b) {
  constexpr double most = std::numeric_limits<double>::max();
  const double product = a * b;
  const double below = product > most ? most : product;
  return below < -most ? -most : below;
}

/// Which totals of a run of rows are wanted; squares need sums.
struct WantedTotals {
  bool sums = false;
  bool squares = false;
  bool highs = false;
  bool lows = false;
  bool products = false;
};

/// Totals of a run of rows over up to `tile_columns` columns.
struct alignas(64) Totals {
  double sum[tile_columns];
  double squares[tile_columns];  ///< about the mean of the run
  double product[tile_columns];
  Real high[tile_columns];
  Real low[tile_columns];
  double num_rows;
};

/// Totals of rows of x, at least one, over columns first .. first+cols-1. The first total reads the
/// rows from memory, the others while they are in cache.
void compute_totals(const WantedTotals& wanted, ConstMatrixView x, Rows rows, Size first, Size cols,
                    Totals& t);
/// Totals of two runs as of one: t of the earlier, `later` of the one behind it. Chan et al. 1979 for
/// squares.
void join_totals(const WantedTotals& wanted, Size cols, const Totals& later, Totals& t);

}  // namespace TARN_PRECISION
}  // namespace tarn
