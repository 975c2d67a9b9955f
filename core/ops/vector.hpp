#pragma once

#include "tarn/core/view.hpp"

#include <utility>

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

/// Sums of term(0) .. term(n-1), a pair of numbers, in double: 8 partial sums each that are folded pairwise,
/// an order of its own, fixed.
template <class Term>
std::pair<double, double> wide_sums(Size n, Term term) {
  double first[8] = {}, second[8] = {};
  const auto add = [&](Size i, Size k) {
    const auto [a, b] = term(i);
    first[k] += static_cast<double>(a);
    second[k] += static_cast<double>(b);
  };
  Size i = 0;
  for (; i + 8 <= n; i += 8) {
    for (Size k = 0; k < 8; ++k) add(i + k, k);
  }
  for (Size k = 0; i + k < n; ++k) add(i + k, k);
  for (Size width = 4; width > 0; width /= 2) {
    for (Size k = 0; k < width; ++k) {
      first[k] += first[k + width];
      second[k] += second[k + width];
    }
  }
  return {first[0], second[0]};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
