#pragma once

#include "tarn/core/view.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// y += factor * x.
inline void add_scaled(Real factor, const Real* x, Real* y, Size n) {
  for (Size i = 0; i < n; ++i) y[i] += factor * x[i];
}

/// <x, y> in 16 partial sums that are folded pairwise: an order of its own, fixed, which the compiler can run
/// on vectors.
inline Real dot(const Real* x, const Real* y, Size n) {
  Real part[16] = {};
  Size i = 0;
  for (; i + 16 <= n; i += 16) {
    for (Size k = 0; k < 16; ++k) part[k] += x[i + k] * y[i + k];
  }
  for (Size k = 0; i + k < n; ++k) part[k] += x[i + k] * y[i + k];
  for (Size width = 8; width > 0; width /= 2) {
    for (Size k = 0; k < width; ++k) part[k] += part[k + width];
  }
  return part[0];
}

}  // namespace TARN_PRECISION
}  // namespace tarn
