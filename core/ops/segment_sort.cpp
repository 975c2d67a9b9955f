#include "tarn/core/ops/segment_sort.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

/// From this many rows on the network's comparisons cost more than sorting columns one by one.
constexpr Size longest_network = 2048;

/// The smaller value of every lane of lines i and i + d to line i, the larger to i + d, for a run of lines.
void exchange_run(Real* lines, Size begin, Size end, Size d) {
  for (Size i = begin; i < end; ++i) {
    Real* __restrict const a = lines + i * lane_columns;
    Real* __restrict const b = lines + (i + d) * lane_columns;
    for (Size j = 0; j < lane_columns; ++j) {
      const Real u = a[j], v = b[j];
      a[j] = std::min(u, v);
      b[j] = std::max(u, v);
    }
  }
}

}  // namespace

inline namespace TARN_PRECISION {

void SortedLanes::sort(ConstMatrixView x, Rows rows, Size first, Size cols) {
  x_ = x;
  run_ = rows;
  first_ = first;
  cols_ = cols;
  sorted_.assign(static_cast<std::size_t>(rows.size() * lane_columns), Real{0});
  for (Size i = 0; i < rows.size(); ++i)
    std::copy_n(x.row(rows.begin + i) + first, cols, sorted_.data() + i * lane_columns);
  rows.size() <= longest_network ? sort_network() : sort_by_column();
  mark_nans();
}

/// Batcher's merge exchange, for any number of rows; Knuth, The Art of Computer Programming 5.2.2, algorithm
/// M.
void SortedLanes::sort_network() {
  const Size n = run_.size();
  if (n < 2) return;
  Real* const lines = sorted_.data();
  const Size top = static_cast<Size>(std::bit_ceil(static_cast<std::uint64_t>(n))) / 2;
  for (Size p = top; p > 0; p /= 2) {
    Size q = top, r = 0, d = p;
    while (true) {
      // Rows i with (i & p) == r, in runs of p.
      for (Size start = r; start + d < n; start += 2 * p)
        exchange_run(lines, start, std::min(start + p, n - d), d);
      if (q == p) break;
      d = q - p;
      q /= 2;
      r = p;
    }
  }
}

void SortedLanes::sort_by_column() {
  std::vector<Real> column(static_cast<std::size_t>(run_.size()));
  for (Size j = 0; j < cols_; ++j) {
    for (std::size_t i = 0; i < column.size(); ++i)
      column[i] = sorted_[i * lane_columns + static_cast<std::size_t>(j)];
    // A NaN would break the order that sorting relies on; the column is marked as a whole.
    std::replace_if(
        column.begin(), column.end(), [](Real v) { return std::isnan(v); }, Real{0});
    std::sort(column.begin(), column.end());
    for (std::size_t i = 0; i < column.size(); ++i)
      sorted_[i * lane_columns + static_cast<std::size_t>(j)] = column[i];
  }
}

void SortedLanes::mark_nans() {
  Real poison[lane_columns] = {};
  for (Size i = run_.begin; i < run_.end; ++i) {
    const Real* const row = x_.row(i) + first_;
    for (Size j = 0; j < cols_; ++j) poison[j] = row[j] != row[j] ? row[j] : poison[j];
  }
  for (Size j = 0; j < cols_; ++j) {
    if (!std::isnan(poison[j])) continue;
    for (Size i = 0; i < run_.size(); ++i)
      sorted_[static_cast<std::size_t>(i * lane_columns + j)] = poison[j];
  }
}

void SortedLanes::rows_at(Size position, NodeId* rows) const {
  const Real* const value = sorted_.data() + position * lane_columns;
  NodeId place[lane_columns];  // among the equal values, from 0
  std::fill_n(place, cols_, static_cast<NodeId>(position));
  for (Size i = run_.begin; i < run_.end; ++i) {
    const Real* const row = x_.row(i) + first_;
    for (Size j = 0; j < cols_; ++j) place[j] -= row[j] < value[j] ? 1 : 0;
  }
  std::fill_n(rows, cols_, NodeId{-1});
  for (Size i = run_.begin; i < run_.end; ++i) {
    const Real* const row = x_.row(i) + first_;
    const NodeId number = static_cast<NodeId>(i - run_.begin);
    for (Size j = 0; j < cols_; ++j) {
      const bool equal = row[j] == value[j];
      rows[j] = equal & (place[j] == 0) ? number : rows[j];
      place[j] -= equal ? 1 : 0;
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
