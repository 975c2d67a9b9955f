#include "tarn/core/ops/segment_division.hpp"

#include "tarn/core/ops/segment_softmax.hpp"
#include "tarn/core/ops/segment_weights.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <cmath>

namespace tarn {

namespace {

constexpr Real left_out = -std::numeric_limits<Real>::infinity();
/// Scores mapped at a time.
constexpr Size block_numbers = 1024;

/// t = s / T, less what is left out, which becomes 0.
void divide(const Real* s, Real temperature, Real* t, Size n) {
  for (Size i = 0; i < n; ++i) t[i] = s[i] == left_out ? Real{0} : s[i] / temperature;
}

/// phi(t) in place of t, and its slope where that is wanted.
void map_scores(ScoreMap map, Real* t, Real* slope, Size n) {
  alignas(64) Real e[block_numbers];
  const auto each = [&](auto value, auto derivative) {
    for (Size i = 0; i < n; ++i) {
      const Real x = t[i];
      t[i] = value(x, e[i]);
      if (slope != nullptr) slope[i] = derivative(x, e[i]);
    }
  };
  switch (map) {
    case ScoreMap::relu:
      return each([](Real x, Real) { return x < 0 ? Real{0} : x; }, [](Real x, Real) { return Real(x > 0); });
    case ScoreMap::softplus: {
      if (slope != nullptr) {
        std::copy_n(t, n, slope);
        sigmoid_in_place(slope, n);
      }
      for (Size i = 0; i < n; ++i) e[i] = -std::abs(t[i]);
      exp_in_place(e, n);
      log1p_in_place(e, n);
      for (Size i = 0; i < n; ++i) t[i] = e[i] + (t[i] > 0 ? t[i] : Real{0});
      return;
    }
    case ScoreMap::exp:
      return exp_in_place(t, n);
    case ScoreMap::sigmoid:
      std::copy_n(t, n, e);
      sigmoid_in_place(e, n);
      return each([](Real, Real y) { return y; }, [](Real, Real y) { return y * (1 - y); });
    case ScoreMap::elu1:
      for (Size i = 0; i < n; ++i) e[i] = t[i] > 0 ? Real{0} : t[i];
      exp_in_place(e, n);
      return each([](Real x, Real y) { return x > 0 ? x + 1 : y; }, [](Real, Real y) { return y; });
    case ScoreMap::square:
      // Clamped, so that a square beyond the largest number is not infinity over infinity.
      return each([](Real x, Real) { return std::min(x * x, std::numeric_limits<Real>::max()); },
                  [](Real x, Real) { return 2 * x; });
    case ScoreMap::identity:
      return each([](Real x, Real) { return x; }, [](Real, Real) { return Real{1}; });
  }
}

/// phi of scores without those that are left out.
void map_run(const SegmentDivisionOptions& o, const Real* s, Real* phi, Real* slope, Size n) {
  for (Size at = 0; at < n; at += block_numbers) {
    const Size count = std::min(block_numbers, n - at);
    divide(s + at, static_cast<Real>(o.temperature), phi + at, count);
    map_scores(o.activation, phi + at, slope == nullptr ? nullptr : slope + at, count);
    for (Size i = at; i < at + count; ++i) {
      phi[i] = s[i] == left_out ? Real{0} : phi[i];
      if (slope != nullptr) slope[i] = s[i] == left_out ? Real{0} : slope[i];
    }
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_division(Var scores, const Segments& sets, const SegmentDivisionOptions& o) {
  if (o.activation == ScoreMap::exp) return segment_softmax(scores, sets, {.temperature = o.temperature});
  Tape& tape = scores.tape();
  const Size cols = scores.cols();
  const MatrixView divisor = tape.allocate({sets.count(), cols});  // infinite where weights are 0
  const auto forward = [=](const SetRun& run, const Real* s, Real* w) {
    thread_local std::vector<double> sum;
    map_run(o, s, w, nullptr, run.count());
    run.for_sets([&](Size set, Size at, Size rows) {
      Real* const of_set = w + at;
      sum.assign(static_cast<std::size_t>(cols), 0.0);
      sum_columns(rows, cols, sum.data(), [of_set](Size i) { return std::abs(of_set[i]); });
      for (Size j = 0; j < cols; ++j) {
        const double total = sum[static_cast<std::size_t>(j)];
        divisor(set, j) = total <= o.eps ? std::numeric_limits<Real>::infinity() : static_cast<Real>(total);
      }
      for_columns(rows, cols, divisor.row(set), [of_set](Size i, Real z) { of_set[i] /= z; });
    });
  };
  const auto backward = [=](const SetRun& run, const Real* s, const Real* w, const Real* g, Real* ds) {
    thread_local std::vector<Real> phi, slope;
    phi.resize(static_cast<std::size_t>(run.count()));
    slope.resize(phi.size());
    map_run(o, s, phi.data(), slope.data(), run.count());
    const auto temperature = static_cast<Real>(o.temperature);
    run.for_sets([&](Size set, Size at, Size rows) {
      const Real *const of_phi = phi.data() + at, *const of_slope = slope.data() + at;
      for_columns(rows, cols, column_products(rows, cols, w + at, g + at), [=](Size i, Real m) {
        ds[at + i] = of_slope[i] * (g[at + i] - (of_phi[i] < 0 ? -m : m)) / temperature;
      });
      for_columns(rows, cols, divisor.row(set), [=](Size i, Real z) { ds[at + i] /= z; });
    });
  };
  return record_weights("segment_division", scores, sets, forward, backward);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
