#include "tarn/core/ops/segment_totals.hpp"

#include <algorithm>

namespace tarn {

namespace {

/// Rows whose terms are added in `Real` before they are added to a total in double.
constexpr Size rows_at_once = 16;

/// total[j] += map(row[j], j) over all rows, read one after another.
template <class Columns, class Map>
void add_rows(ConstMatrixView x, Rows rows, Size first, Columns cols, double* __restrict total, Map map) {
  alignas(64) Real part[tile_columns];
  std::fill_n(total, cols, 0.0);
  for (Size begin = rows.begin; begin < rows.end; begin += rows_at_once) {
    const Size end = std::min(rows.end, begin + rows_at_once);
    std::fill_n(part, cols, Real{0});
    for (Size i = begin; i < end; ++i) {
      const Real* const row = x.row(i) + first;
      for (Size j = 0; j < cols; ++j) part[j] += map(row[j], j);
    }
    for (Size j = 0; j < cols; ++j) total[j] += static_cast<double>(part[j]);
  }
}

/// total[j] = join(total[j], row[j]) over all rows; starts at the first.
template <class Columns, class Join>
void join_rows(ConstMatrixView x, Rows rows, Size first, Columns cols, Real* __restrict total, Join join) {
  std::copy_n(x.row(rows.begin) + first, cols, total);
  for (Size i = rows.begin + 1; i < rows.end; ++i) {
    const Real* const row = x.row(i) + first;
    for (Size j = 0; j < cols; ++j) total[j] = join(total[j], row[j]);
  }
}

/// The larger, and the smaller, of two numbers; a NaN wins and stays.
constexpr auto higher = [](Real best, Real v) { return best < v || v != v ? v : best; };
constexpr auto lower = [](Real best, Real v) { return best > v || v != v ? v : best; };
/// Squares about the mean as squares about the nearest Real, whose differences to x lose nothing.
template <class Columns>
void add_squares(ConstMatrixView x, Rows rows, Size first, Columns cols, const double* sum, double* squares) {
  const double n = static_cast<double>(rows.size());
  Real shift[tile_columns];
  for (Size j = 0; j < cols; ++j) shift[j] = static_cast<Real>(sum[j] / n);
  add_rows(x, rows, first, cols, squares,
           [&shift](Real v, Size j) { return (v - shift[j]) * (v - shift[j]); });
  for (Size j = 0; j < cols; ++j) {
    const double off = sum[j] / n - static_cast<double>(shift[j]);
    squares[j] = std::max(squares[j] - n * off * off, 0.0);
  }
}

template <class Columns>
void multiply_factors(ConstMatrixView x, Rows rows, Size first, Columns cols, double* __restrict product) {
  std::fill_n(product, cols, 1.0);
  for (Size i = rows.begin; i < rows.end; ++i) {
    const Real* const row = x.row(i) + first;
    for (Size j = 0; j < cols; ++j) product[j] = bounded_product(product[j], static_cast<double>(row[j]));
  }
}

}  // namespace

inline namespace TARN_PRECISION {

void compute_totals(const WantedTotals& wanted, ConstMatrixView x, Rows rows, Size first, Size width,
                    Totals& t) {
  t.num_rows = static_cast<double>(rows.size());
  with_columns(width, [&](auto cols) {
    if (wanted.sums) add_rows(x, rows, first, cols, t.sum, [](Real v, Size) { return v; });
    if (wanted.highs) join_rows(x, rows, first, cols, t.high, higher);
    if (wanted.lows) join_rows(x, rows, first, cols, t.low, lower);
    if (wanted.products) multiply_factors(x, rows, first, cols, t.product);
    if (wanted.squares) add_squares(x, rows, first, cols, t.sum, t.squares);
  });
}

void join_totals(const WantedTotals& wanted, Size cols, const Totals& later, Totals& t) {
  const double n = t.num_rows, m = later.num_rows;
  for (Size j = 0; j < cols; ++j) {
    if (wanted.squares) {
      const double apart = later.sum[j] / m - t.sum[j] / n;
      t.squares[j] += later.squares[j] + apart * apart * n * m / (n + m);
    }
    if (wanted.sums) t.sum[j] += later.sum[j];
    if (wanted.products) t.product[j] = bounded_product(t.product[j], later.product[j]);
    if (wanted.highs) t.high[j] = higher(t.high[j], later.high[j]);
    if (wanted.lows) t.low[j] = lower(t.low[j], later.low[j]);
  }
  t.num_rows = n + m;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
