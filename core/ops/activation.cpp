#include "tarn/core/ops/activation.hpp"

#include <algorithm>
#include <numbers>

namespace tarn {

namespace {

constexpr Size numbers_at_once = 256;

/// f(first, count) for pieces of a run that fit a buffer.
template <class F>
void in_pieces(Size n, F f) {
  for (Size at = 0; at < n; at += numbers_at_once) f(at, std::min(numbers_at_once, n - at));
}

/// Phi(x), the share of a standard normal below x.
void normal_share(const Real* x, Real* share, Size n) {
  constexpr Real root_half = static_cast<Real>(1 / std::numbers::sqrt2);
  for (Size j = 0; j < n; ++j) share[j] = x[j] * root_half;
  erf_in_place(share, n);
  for (Size j = 0; j < n; ++j) share[j] = (1 + share[j]) / 2;
}

/// The derivative of gelu, Phi(x) + x phi(x).
void gelu_slope(const Real* x, const Real* share, Real* slope, Size n) {
  constexpr Real density = static_cast<Real>(std::numbers::inv_sqrtpi / std::numbers::sqrt2);
  for (Size j = 0; j < n; ++j) slope[j] = -x[j] * x[j] / 2;
  exp_in_place(slope, n);
  for (Size j = 0; j < n; ++j) slope[j] = share[j] + x[j] * density * slope[j];
}

}  // namespace

inline namespace TARN_PRECISION {

void activate_run(Activation activation, const Real* x, Real* y, Size n) {
  if (activation == Activation::gelu) {
    return in_pieces(n, [&](Size at, Size count) {
      Real share[numbers_at_once];
      normal_share(x + at, share, count);
      for (Size j = 0; j < count; ++j) y[at + j] = x[at + j] * share[j];
    });
  }
  if (y != x) std::copy_n(x, n, y);
  if (activation == Activation::relu) {
    for (Size j = 0; j < n; ++j) y[j] = y[j] < 0 ? Real{0} : y[j];
  } else if (activation == Activation::tanh) {
    tanh_in_place(y, n);
  } else if (activation == Activation::sigmoid) {
    sigmoid_in_place(y, n);
  }
}

void activation_gradient(Activation activation, const Real* dy, const Real* x, const Real* y, Real* dx,
                         Size n) {
  switch (activation) {
    case Activation::none:
      std::copy_n(dy, n, dx);
      break;
    case Activation::relu:
      for (Size j = 0; j < n; ++j) dx[j] = y[j] > 0 ? dy[j] : Real{0};
      break;
    case Activation::tanh:
      for (Size j = 0; j < n; ++j) dx[j] = dy[j] * (1 - y[j] * y[j]);
      break;
    case Activation::sigmoid:
      for (Size j = 0; j < n; ++j) dx[j] = dy[j] * y[j] * (1 - y[j]);
      break;
    case Activation::gelu:
      in_pieces(n, [&](Size at, Size count) {
        Real share[numbers_at_once], slope[numbers_at_once];
        normal_share(x + at, share, count);
        gelu_slope(x + at, share, slope, count);
        for (Size j = 0; j < count; ++j) dx[at + j] = dy[at + j] * slope[j];
      });
  }
}

void gated_gelu_run(const Real* a, const Real* b, Real* y, Size n) {
  in_pieces(n, [&](Size at, Size count) {
    Real share[numbers_at_once];
    normal_share(b + at, share, count);
    for (Size j = 0; j < count; ++j) y[at + j] = a[at + j] * b[at + j] * share[j];
  });
}

void gated_gelu_gradient(const Real* dy, const Real* a, const Real* b, Real* da, Real* db, Size n) {
  in_pieces(n, [&](Size at, Size count) {
    Real share[numbers_at_once], slope[numbers_at_once];
    normal_share(b + at, share, count);
    gelu_slope(b + at, share, slope, count);
    for (Size j = 0; j < count; ++j) {
      const Real g = dy[at + j];
      da[at + j] = g * b[at + j] * share[j];
      db[at + j] = g * a[at + j] * slope[j];
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
