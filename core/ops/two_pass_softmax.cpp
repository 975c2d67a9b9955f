#include "tarn/core/ops/segment_softmax_kernels.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace tarn {

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)

namespace {

/// Scores that the splitting into mantissa and exponent takes, and the exponent that stands for none.
constexpr Real largest_score = 0x1p18;
constexpr Real no_exponent = -0x1p60;

/// 2^k for k <= 0, zero below the smallest exponent.
[[gnu::always_inline]] inline float power_of_two(float k) {
  return std::bit_cast<float>((static_cast<std::int32_t>(k < -127 ? -127.0F : k) + 127) << 23);
}
[[gnu::always_inline]] inline double power_of_two(double k) {
  return std::bit_cast<double>((static_cast<std::int64_t>(k < -1023 ? -1023.0 : k) + 1023) << 52);
}

/// exp(t) for |t| <= ln(2) / 2: the paper's polynomial in float, the series to degree 13 in double.
[[gnu::always_inline]] inline float exp_near_zero(float t) {
  const float inner = std::fma(t, 0x1.0F9F9Cp-7F, 0x1.573A1Ap-5F);
  return std::fma(
      t, std::fma(t, std::fma(t, std::fma(t, inner, 0x1.555A80p-3F), 0x1.FFFDC6p-2F), 0x1.FFFFF6p-1F), 1.0F);
}
[[gnu::always_inline]] inline double exp_near_zero(double t) {
  double sum = 1;
  for (int n = 13; n > 0; --n) sum = std::fma(sum, t / n, 1.0);
  return sum;
}

/// ln(2) in two parts, the first of which times a whole number is exact enough, and what rounds a number of
/// at most 2^22 (2^51) to a whole one when it is added and taken away.
struct SplitLn2 {
  Real high, low, rounder;
};
constexpr SplitLn2 split(float) {
  return {Real(0x1.62E43p-1), Real(-0x1.05C61p-29), Real(0x1.8p23)};
}
constexpr SplitLn2 split(double) {
  return {Real(0x1.62E42FEFA3800p-1), Real(0x1.EF35793C76730p-45), Real(0x1.8p52)};
}

/// exp(x) = mantissa 2^exponent.
struct Extended {
  Real mantissa, exponent;
};
[[gnu::always_inline]] inline Extended extended_exp(Real x) {
  constexpr SplitLn2 ln2 = split(Real{});
  const Real n = (x * Real(0x1.71547652B82FEp+0) + ln2.rounder) - ln2.rounder;
  const Real t = std::fma(-n, ln2.low, std::fma(-n, ln2.high, x));
  return {exp_near_zero(t), n};
}

/// The sum of a column.
struct ExtendedSum {
  double mantissa = 0;
  Real exponent = no_exponent;

  void add(Real m, Real e) {
    if (m == 0) return;
    const Real best = std::max(exponent, e);
    mantissa = mantissa * std::exp2(static_cast<double>(exponent - best)) +
               static_cast<double>(m) * std::exp2(static_cast<double>(e - best));
    exponent = best;
  }
};

/// Sums of the columns of some lanes; false if a score is too large for that, or NaN.
template <class Lanes>
bool sum_lanes(const Lanes& l, const Real* s, ExtendedSum* total) {
  constexpr Real none = -std::numeric_limits<Real>::infinity();
  alignas(64) Real mantissa[2 * column_lanes], exponent[2 * column_lanes], outside[2 * column_lanes];
  const auto clear = [&] {
    std::fill_n(mantissa, static_cast<Size>(l.lanes), Real{0});
    std::fill_n(exponent, static_cast<Size>(l.lanes), no_exponent);
  };
  const auto step = [&](Size at, auto lanes) {
    for (Size k = 0; k < lanes; ++k) {
      const Real x = s[at + k];
      const bool inside = std::abs(x) <= largest_score;
      outside[k] = inside || x == none ? outside[k] : Real{1};
      const Extended e = extended_exp(inside ? x : Real{0});
      const Real p = inside ? e.mantissa : Real{0}, n = inside ? e.exponent : no_exponent;
      const Real best = n > exponent[k] ? n : exponent[k];
      mantissa[k] = mantissa[k] * power_of_two(exponent[k] - best) + p * power_of_two(n - best);
      exponent[k] = best;
    }
  };
  const auto settle = [&] {
    for (Size k = 0; k < l.lanes; ++k) total[l.column + k % l.cols].add(mantissa[k], exponent[k]);
  };
  std::fill_n(outside, static_cast<Size>(l.lanes), Real{0});
  Size at = l.first;
  for (Size done = 0; done < l.steps;) {
    const Size until = std::min(l.steps, done + terms_per_lane);
    clear();
    for (; done < until; ++done, at += l.step) step(at, l.lanes);
    settle();
  }
  clear();
  step(at, l.rest);
  settle();
  return std::all_of(outside, outside + l.lanes, [](Real v) { return v == 0; });
}

/// w = p / M 2^(n - E).
template <class Lanes>
void write_lanes(const Lanes& l, const Real* s, const ExtendedSum* total, Real* w) {
  alignas(64) Real mantissa[2 * column_lanes], exponent[2 * column_lanes];
  for (Size k = 0; k < l.lanes; ++k) {
    const ExtendedSum& sum = total[l.column + k % l.cols];
    mantissa[k] = sum.mantissa > 0 ? static_cast<Real>(sum.mantissa) : Real{1};
    exponent[k] = sum.exponent;
  }
  const auto step = [&](Size at, auto lanes) {
    for (Size k = 0; k < lanes; ++k) {
      const Real x = s[at + k];
      const bool inside = std::abs(x) <= largest_score;
      const Extended e = extended_exp(inside ? x : Real{0});
      const Real weight =
          e.mantissa / mantissa[k] * power_of_two(inside ? e.exponent - exponent[k] : Real{0});
      w[at + k] = inside ? weight : Real{0};
    }
  };
  Size at = l.first;
  for (Size t = 0; t < l.steps; ++t, at += l.step) step(at, l.lanes);
  step(at, l.rest);
}

}  // namespace

inline namespace TARN_PRECISION {

bool two_pass_softmax(Size rows, Size cols, const Real* s, Real* w) {
  thread_local std::vector<ExtendedSum> total;
  total.assign(static_cast<std::size_t>(cols), ExtendedSum());
  bool inside = true;
  for_column_lanes(rows, cols, [&](const auto& l) { inside = sum_lanes(l, s, total.data()) && inside; });
  if (!inside) return false;
  for_column_lanes(rows, cols, [&](const auto& l) { write_lanes(l, s, total.data(), w); });
  return true;
}

}  // namespace TARN_PRECISION

#else

inline namespace TARN_PRECISION {

bool two_pass_softmax(Size, Size, const Real*, Real*) {
  return false;
}

}  // namespace TARN_PRECISION

#endif

}  // namespace tarn
