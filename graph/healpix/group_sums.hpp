#pragma once

#include "tarn/core/view.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace tarn::healpix {
inline namespace TARN_PRECISION {

/// out = sum of some rows of m, added pairwise: the rounding error grows with the logarithm of their number.
inline void sum_rows_pairwise(ConstMatrixView m, std::span<const Size> rows, Real* out) {
  if (rows.size() == 4) {
    const Real *a = m.row(rows[0]), *b = m.row(rows[1]), *c = m.row(rows[2]), *d = m.row(rows[3]);
    for (Size i = 0; i < m.cols; ++i) out[i] = (a[i] + b[i]) + (c[i] + d[i]);
    return;
  }
  if (rows.size() <= 3) {
    std::fill_n(out, m.cols, Real{0});
    for (const Size row : rows) {
      for (Size c = 0; c < m.cols; ++c) out[c] += m(row, c);
    }
    return;
  }
  const std::size_t half = rows.size() / 2;
  std::vector<Real> right(static_cast<std::size_t>(m.cols));
  sum_rows_pairwise(m, rows.first(half), out);
  sum_rows_pairwise(m, rows.subspan(half), right.data());
  for (Size c = 0; c < m.cols; ++c) out[c] += right[static_cast<std::size_t>(c)];
}

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
