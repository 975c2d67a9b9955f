#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/view.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// Columns that are sorted side by side: one line of the caches.
constexpr Size lane_columns = 64 / static_cast<Size>(sizeof(Real));

/// Order statistics of up to `lane_columns` columns of a run of rows.
class SortedLanes {
 public:
  /// Sorts rows of x over columns first .. first+cols-1.
  void sort(ConstMatrixView x, Rows rows, Size first, Size cols);
  /// The value at a position of a column; NaN if the column holds one.
  [[nodiscard]] Real at(Size position, Size lane) const {
    return sorted_[static_cast<std::size_t>(position * lane_columns + lane)];
  }
  /// The row where the value at a position stands, relative to the first of the run: of equal values the
  /// lowest row belongs to the lowest position. -1 in a column with a NaN.
  void rows_at(Size position, NodeId* rows) const;

 private:
  void sort_network();
  void sort_by_column();
  void mark_nans();

  ConstMatrixView x_{};
  Rows run_{};
  Size first_ = 0, cols_ = 0;
  std::vector<Real> sorted_;  // [n, lane_columns]
};

}  // namespace TARN_PRECISION
}  // namespace tarn
