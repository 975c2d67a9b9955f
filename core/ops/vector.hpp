#pragma once

#include "tarn/core/ops/simd.hpp"
#include "tarn/core/view.hpp"

#include <utility>

namespace tarn {
inline namespace TARN_PRECISION {

/// y += factor * x.
inline void add_scaled(Real factor, const Real* x, Real* y, Size n) {
  for (Size i = 0; i < n; ++i) y[i] += factor * x[i];
}

namespace detail {

/// v[k] + v[k + lanes / 2], pairwise down to one number.
template <Size lanes>
[[gnu::always_inline]] inline Real fold(typename simd::Type<lanes>::Is v) {
  if constexpr (lanes == 1) {
    return v;
  } else if constexpr (lanes == 2) {
    return v[0] + v[1];
  } else {
    return [&]<int... k>(std::integer_sequence<int, k...>) {
      constexpr int half = static_cast<int>(lanes / 2);
      return fold<lanes / 2>(__builtin_shufflevector(v, v, k...) +
                             __builtin_shufflevector(v, v, (k + half)...));
    }
    (std::make_integer_sequence<int, static_cast<int>(lanes / 2)>());
  }
}

}  // namespace detail

/// <x, y> in 16 partial sums that are folded pairwise: an order of its own, fixed, which runs on vectors.
[[gnu::always_inline]] inline Real dot(const Real* x, const Real* y, Size n) {
  constexpr Size lanes = 16;
  using Vector = simd::Type<lanes>::Is;
  Vector part{};
  Size i = 0;
  for (; i + lanes <= n; i += lanes) part += simd::load<Vector>(x + i) * simd::load<Vector>(y + i);
  for (Size k = 0; i + k < n; ++k) part[k] += x[i + k] * y[i + k];
  return detail::fold<lanes>(part);
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
