#include "tarn/core/ops/vector_math.hpp"

#include "tarn/core/eigen.hpp"

#include <unsupported/Eigen/SpecialFunctions>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size numbers_at_once = 64;
using Block = Eigen::Map<Eigen::Array<Real, numbers_at_once, 1>, Eigen::Aligned64>;

/// block = f(block) for whole aligned blocks: Eigen computes the ends of a run, and those of an unaligned one
/// the beginning, number by number with other bits.
template <class F>
void apply(Real* data, Size n, F f) {
  alignas(64) Real numbers[numbers_at_once];
  Block block(numbers);
  for (Size at = 0; at < n; at += numbers_at_once) {
    const Size count = std::min(numbers_at_once, n - at);
    std::copy_n(data + at, count, numbers);
    std::fill(numbers + count, numbers + numbers_at_once, Real{1});
    f(block);
    std::copy_n(numbers, count, data + at);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

void tanh_in_place(Real* data, Size n) {
  apply(data, n, [](Block& x) { x = x.tanh(); });
}

void exp_in_place(Real* data, Size n) {
  apply(data, n, [](Block& x) { x = x.exp(); });
}

void log_in_place(Real* data, Size n) {
  apply(data, n, [](Block& x) { x = x.log(); });
}

void sigmoid_in_place(Real* data, Size n) {
  apply(data, n, [](Block& x) {
    const Eigen::Array<Real, numbers_at_once, 1> e = (-x.abs()).exp();
    x = (x >= Real{0}).select(1 / (1 + e), e / (1 + e));
  });
}

void erf_in_place(Real* data, Size n) {
  apply(data, n, [](Block& x) { x = x.erf(); });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
