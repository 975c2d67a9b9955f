#include "tarn/core/ops/vector_math.hpp"

#include "tarn/core/eigen.hpp"

#include <unsupported/Eigen/SpecialFunctions>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size numbers_at_once = 64;
using Block = Eigen::Map<Eigen::Array<Real, numbers_at_once, 1>, Eigen::Aligned64>;

/// The function of whole aligned blocks, block = f(block), then data = finish(data, block): Eigen computes
/// the ends of a run, and those of an unaligned one the beginning, number by number with other bits. A NaN
/// stays.
template <class F, class Finish>
void apply(Real* data, Size n, F f, Finish finish) {
  alignas(64) Real numbers[numbers_at_once];
  Block block(numbers);
  const auto run = [&](Real* at, auto count) {
    std::copy_n(at, static_cast<Size>(count), numbers);
    f(block);
    for (Size j = 0; j < count; ++j) {
      const Real x = at[j], y = finish(x, numbers[j]);
      at[j] = x != x ? x : y;
    }
  };
  Size at = 0;
  for (; at + numbers_at_once <= n; at += numbers_at_once)
    run(data + at, std::integral_constant<Size, numbers_at_once>());
  if (at == n) return;
  std::fill_n(numbers, numbers_at_once, Real{1});
  run(data + at, n - at);
}

constexpr auto as_it_is = [](Real, Real y) { return y; };
/// Below this the exponential is zero; Eigen's is the smallest number it can make.
const Real exp_underflow = std::log(std::numeric_limits<Real>::denorm_min()) - 1;

}  // namespace

inline namespace TARN_PRECISION {

void tanh_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = x.tanh(); }, as_it_is);
}

void exp_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = x.exp(); },
      [low = exp_underflow](Real x, Real y) { return x < low ? Real{0} : y; });
}

void log_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = x.log(); }, as_it_is);
}

// The logarithm of the rounded 1 + x, times what rounding took from x.
void log1p_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = (x + Real{1}).log(); },
      [](Real x, Real y) {
        const Real sum = 1 + x;
        return sum == 1 ? x : y * (x / (sum - 1));
      });
}

void sigmoid_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = (-x.abs()).exp(); },
      [low = exp_underflow](Real x, Real y) {
        const Real share = 1 / (1 + y), rest = x < low ? Real{0} : y * share;
        return x < 0 ? rest : share;
      });
}

void erf_in_place(Real* data, Size n) {
  apply(
      data, n, [](Block& x) { x = x.erf(); }, as_it_is);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
