#include "tarn/core/ops/column_softmax.hpp"

namespace tarn {

namespace {

/// What is subtracted from scores before the exponential; columns of minus infinity have no weights at all.
template <class Columns>
void shifts(const Real* highest, Columns cols, Real* shift) {
  for (Size j = 0; j < cols; ++j) shift[j] = std::isinf(highest[j]) ? Real{0} : highest[j];
}

template <class Columns>
void subtract_and_exp(Size rows, Columns cols, Real* e, const Real* highest) {
  alignas(64) Real shift[tile_columns];
  shifts(highest, cols, shift);
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < cols; ++j) e[i * cols + j] -= shift[j];
  }
  exp_in_place(e, rows * cols);
}

/// Raises the largest scores to those of a tile; what was summed before is scaled down.
template <class Columns>
void raise_highest(Size rows, Columns cols, const Real* e, ColumnTotals& t) {
  alignas(64) Real factor[tile_columns];
  std::copy_n(t.highest, cols, factor);
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < cols; ++j)
      t.highest[j] = e[i * cols + j] > t.highest[j] ? e[i * cols + j] : t.highest[j];
  }
  alignas(64) Real shift[tile_columns];
  shifts(t.highest, cols, shift);
  for (Size j = 0; j < cols; ++j) factor[j] -= shift[j];
  exp_in_place(factor, cols);
  for (Size j = 0; j < cols; ++j) {
    t.sum[j] *= static_cast<double>(factor[j]);
    t.pooled[j] *= static_cast<double>(factor[j]);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

void start_columns(Size cols, ColumnTotals& t) {
  std::fill_n(t.highest, cols, -std::numeric_limits<Real>::infinity());
  std::fill_n(t.sum, cols, 0.0);
  std::fill_n(t.pooled, cols, 0.0);
}

void add_tile(Size rows, Size width, Real* e, FunctionRef<const Real*(Size)> value, ColumnTotals& t) {
  with_columns(width, [&](auto cols) {
    raise_highest(rows, cols, e, t);
    subtract_and_exp(rows, cols, e, t.highest);
    alignas(64) Real sum[tile_columns], pooled[tile_columns];
    std::fill_n(sum, cols, Real{0});
    std::fill_n(pooled, cols, Real{0});
    for (Size i = 0; i < rows; ++i) {
      const Real *const a = e + i * cols, *const v = value(i);
      for (Size j = 0; j < cols; ++j) sum[j] += a[j];
      if (v == nullptr) continue;
      for (Size j = 0; j < cols; ++j) pooled[j] += a[j] * v[j];
    }
    for (Size j = 0; j < cols; ++j) t.sum[j] += static_cast<double>(sum[j]);
    for (Size j = 0; j < cols; ++j) t.pooled[j] += static_cast<double>(pooled[j]);
  });
}

void join_columns(Size cols, const ColumnTotals& later, ColumnTotals& t) {
  for (Size j = 0; j < cols; ++j) {
    const double best = static_cast<double>(std::max(t.highest[j], later.highest[j]));
    const double shift = std::isinf(best) ? 0 : best;
    const double before = std::exp(static_cast<double>(t.highest[j]) - shift);
    const double behind = std::exp(static_cast<double>(later.highest[j]) - shift);
    t.highest[j] = static_cast<Real>(best);
    t.sum[j] = t.sum[j] * before + later.sum[j] * behind;
    t.pooled[j] = t.pooled[j] * before + later.pooled[j] * behind;
  }
}

void tile_weights(Size rows, Size width, Real* e, const Real* highest, const Real* inverse) {
  with_columns(width, [&](auto cols) {
    subtract_and_exp(rows, cols, e, highest);
    for (Size i = 0; i < rows; ++i) {
      for (Size j = 0; j < cols; ++j) e[i * cols + j] *= inverse[j];
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
