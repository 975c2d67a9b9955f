#pragma once

#include "tarn/core/view.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

/// Loops over the columns of a set whose rows lie one after another: number i of the set is of column
/// i mod cols. Vectors run over columns where there are many and over rows where there are few.
namespace tarn {
inline namespace TARN_PRECISION {

/// Numbers that are reduced side by side, and how many of them one such sum takes before it is joined to the
/// total: constants, on which results depend.
constexpr Size column_lanes = 64;
constexpr Size terms_per_lane = 1024;

/// Lanes over some columns of a set: lane k of step t is number first + t * step + k, of column
/// column + k mod cols.
template <class Count>
struct ColumnLanes {
  Count lanes;
  Size cols;    ///< columns that the lanes run over, again and again
  Size column;  ///< the first of them
  Size first;
  Size step;
  Size steps;
  Size rest;  ///< lanes of a last, shorter step
};

/// f(lanes) for lanes that together cover a set of `rows` rows.
template <class F>
void for_column_lanes(Size rows, Size cols, F f) {
  constexpr std::integral_constant<Size, column_lanes> full{};
  const Size count = rows * cols;
  if (cols > column_lanes) {
    for (Size column = 0; column < cols; column += column_lanes) {
      const Size width = std::min(column_lanes, cols - column);
      if (width == column_lanes) {
        f(ColumnLanes<decltype(full)>{full, width, column, column, cols, rows, 0});
      } else {
        f(ColumnLanes<Size>{width, width, column, column, cols, rows, 0});
      }
    }
  } else if (column_lanes % cols == 0) {
    f(ColumnLanes<decltype(full)>{full, cols, 0, 0, column_lanes, count / column_lanes,
                                  count % column_lanes});
  } else {
    const Size lanes = (column_lanes + cols - 1) / cols * cols;
    f(ColumnLanes<Size>{lanes, cols, 0, 0, lanes, count / lanes, count % lanes});
  }
}

/// total[j] = join(total[j], term(i)) over all numbers i of column j. At most `terms_per_lane` terms meet in
/// Real, starting from `start`; what they come to is joined in T.
template <class T, class Term, class Join>
void reduce_columns(Size rows, Size cols, Real start, T* total, Term term, Join join) {
  for_column_lanes(rows, cols, [&](auto l) {
    alignas(64) Real part[2 * column_lanes];
    const auto settle = [&](Size lanes) {
      for (Size k = 0; k < lanes; k += l.cols) {
        for (Size j = 0; j < l.cols; ++j)
          total[l.column + j] = join(total[l.column + j], static_cast<T>(part[k + j]));
      }
    };
    Size at = l.first;
    for (Size done = 0; done < l.steps;) {
      const Size until = std::min(l.steps, done + terms_per_lane);
      std::fill_n(part, static_cast<Size>(l.lanes), start);
      for (; done < until; ++done, at += l.step) {
        for (Size k = 0; k < l.lanes; ++k) part[k] = join(part[k], term(at + k));
      }
      settle(l.lanes);
    }
    for (Size k = 0; k < l.rest; ++k) part[k] = term(at + k);
    settle(l.rest);
  });
}

/// total[j] += sum of term(i) over the numbers i of column j.
template <class Term>
void sum_columns(Size rows, Size cols, double* total, Term term) {
  reduce_columns(rows, cols, Real{0}, total, term, [](auto a, auto b) { return a + b; });
}

/// Raises highest[j] to the largest x of column j; NaN counts for nothing.
inline void raise_columns(Size rows, Size cols, Real* highest, const Real* x) {
  reduce_columns(
      rows, cols, -std::numeric_limits<Real>::infinity(), highest, [x](Size i) { return x[i]; },
      [](Real a, Real b) { return b > a ? b : a; });
}

/// f(i, value) for all numbers i of a set, with the value of their column.
template <class F>
void for_columns(Size rows, Size cols, const Real* values, F f) {
  for_column_lanes(rows, cols, [&](auto l) {
    alignas(64) Real of_lane[2 * column_lanes];
    const Size used = l.steps > 0 ? static_cast<Size>(l.lanes) : l.rest;
    for (Size k = 0; k < used; k += l.cols) std::copy_n(values + l.column, l.cols, of_lane + k);
    Size at = l.first;
    for (Size t = 0; t < l.steps; ++t, at += l.step) {
      for (Size k = 0; k < l.lanes; ++k) f(at + k, of_lane[k]);
    }
    for (Size k = 0; k < l.rest; ++k) f(at + k, of_lane[k]);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
