#include "tarn/core/ops/segment_entmax.hpp"

#include "tarn/core/ops/segment_softmax.hpp"
#include "tarn/core/ops/segment_weights.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace tarn {

namespace {

constexpr Size most_inserted = 64;
constexpr int most_halvings = 60;

void sort_descending(std::span<Real> z) {
  if (static_cast<Size>(z.size()) > most_inserted) return std::sort(z.begin(), z.end(), std::greater<>());
  for (std::size_t i = 1; i < z.size(); ++i) {
    const Real v = z[i];
    std::size_t at = i;
    for (; at > 0 && z[at - 1] < v; --at) z[at] = z[at - 1];
    z[at] = v;
  }
}

/// tau of alpha 2 for sorted z: k the largest with 1 + k z_k > z_1 + .. + z_k.
double sparsemax_threshold(std::span<const Real> z) {
  double sum = 0, tau = 0, k = 1;
  for (const Real v : z) {
    const auto value = static_cast<double>(v);
    sum += value;
    if (1 + k * value > sum) tau = (sum - 1) / k;
    ++k;
  }
  return tau;
}

/// tau of alpha 1.5 for sorted z: that of the largest k with tau_k <= z_k.
double entmax15_threshold(std::span<const Real> z) {
  double sum = 0, squares = 0, tau = 0, k = 1;
  for (const Real v : z) {
    const auto value = static_cast<double>(v);
    sum += value;
    squares += value * value;
    const double mean = sum / k, spread = squares - k * mean * mean;
    const double here = mean - std::sqrt(std::max((1 - spread) / k, 0.0));
    if (here > value) break;
    tau = here;
    ++k;
  }
  return tau;
}

/// The weights of one set and column. z holds its scores, less their largest and times alpha - 1, and becomes
/// the weights.
class Entmax {
 public:
  explicit Entmax(double alpha) : alpha_(alpha) {}

  void weigh(std::vector<Real>& z) {
    if (alpha_ == 2 || alpha_ == 1.5) {
      sorted_ = z;
      sort_descending(sorted_);
      const auto tau =
          static_cast<Real>(alpha_ == 2 ? sparsemax_threshold(sorted_) : entmax15_threshold(sorted_));
      for (Real& v : z) v = v > tau ? v - tau : Real{0};
      if (alpha_ != 2) {
        for (Real& v : z) v *= v;
      }
      return;
    }
    powers(z, halve(z));
    double sum = 0;
    for (const Real v : powers_) sum += static_cast<double>(v);
    const auto total = static_cast<Real>(sum);
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = powers_[i] / total;
  }

 private:
  /// max(0, z - tau)^(1 / (alpha - 1)).
  void powers(const std::vector<Real>& z, Real tau) {
    const auto exponent = static_cast<Real>(1 / (alpha_ - 1));
    powers_.resize(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) powers_[i] = z[i] > tau ? z[i] - tau : Real{0};
    log_in_place(powers_.data(), static_cast<Size>(z.size()));
    for (Real& v : powers_) v *= exponent;
    exp_in_place(powers_.data(), static_cast<Size>(z.size()));
  }
  /// The largest tau found at which the powers sum to at least 1.
  Real halve(const std::vector<Real>& z) {
    Real low = -1, high = -static_cast<Real>(std::pow(static_cast<double>(z.size()), 1 - alpha_));
    for (int i = 0; i < most_halvings; ++i) {
      const Real middle = low + (high - low) / 2;
      if (middle == low || middle == high) break;
      powers(z, middle);
      double sum = 0;
      sum_columns(static_cast<Size>(z.size()), 1, &sum,
                  [this](Size k) { return powers_[static_cast<std::size_t>(k)]; });
      (sum >= 1 ? low : high) = middle;
    }
    return low;
  }

  double alpha_;
  std::vector<Real> sorted_, powers_;
};

/// One column of one set: scores that are not left out, and where they stand.
struct ColumnScores {
  std::vector<Real> z;
  std::vector<Size> place;
  bool finite = true;

  /// Numbers at, at + stride, ...
  void gather(const Real* s, Size rows, Size stride) {
    z.clear();
    place.clear();
    finite = true;
    for (Size i = 0; i < rows; ++i) {
      const Real v = s[i * stride];
      if (v == -std::numeric_limits<Real>::infinity()) continue;
      finite = finite && std::isfinite(v);
      z.push_back(v);
      place.push_back(i * stride);
    }
  }
};

void entmax_column(const SegmentEntmaxOptions& o, Entmax& entmax, ColumnScores& column, Real* w) {
  std::vector<Real>& z = column.z;
  if (!column.finite) {
    std::fill(z.begin(), z.end(), std::numeric_limits<Real>::quiet_NaN());
  } else if (!z.empty()) {
    const Real highest = *std::max_element(z.begin(), z.end());
    const auto temperature = static_cast<Real>(o.temperature), slope = static_cast<Real>(o.alpha - 1);
    for (Real& v : z) v = slope * ((v - highest) / temperature);
    entmax.weigh(z);
  }
  for (std::size_t k = 0; k < z.size(); ++k) w[column.place[k]] = z[k];
}

/// u = w^exponent where w is not 0, within numbers whose sums are finite.
void power_of_support(const Real* w, Real exponent, Real* u, Size n) {
  const Real most = std::log(std::numeric_limits<Real>::max()) / 2;
  std::copy_n(w, n, u);
  log_in_place(u, n);
  for (Size i = 0; i < n; ++i) u[i] = u[i] * exponent > most ? most : u[i] * exponent;
  exp_in_place(u, n);
  for (Size i = 0; i < n; ++i) u[i] = w[i] > 0 ? u[i] : Real{0};
}

}  // namespace

inline namespace TARN_PRECISION {

Var segment_entmax(Var scores, const Segments& sets, const SegmentEntmaxOptions& o) {
  if (o.alpha == 1) return segment_softmax(scores, sets, {.temperature = o.temperature});
  const Size cols = scores.cols();
  const auto forward = [=](const SetRun& run, const Real* s, Real* w) {
    thread_local ColumnScores column;
    Entmax entmax(o.alpha);
    std::fill_n(w, run.count(), Real{0});
    run.for_sets([&](Size, Size at, Size rows) {
      for (Size j = 0; j < cols; ++j) {
        column.gather(s + at + j, rows, cols);
        entmax_column(o, entmax, column, w + at + j);
      }
    });
  };
  const auto factor = static_cast<Real>(1 / o.temperature);
  const auto backward = [=](const SetRun& run, const Real*, const Real* w, const Real* g, Real* ds) {
    thread_local std::vector<Real> u, share, inverse;
    thread_local std::vector<double> sum;
    u.resize(static_cast<std::size_t>(run.count()));
    share.resize(u.size());
    power_of_support(w, static_cast<Real>(2 - o.alpha), u.data(), run.count());
    run.for_sets([&](Size, Size at, Size rows) {
      const Real* const of_set = u.data() + at;
      sum.assign(static_cast<std::size_t>(cols), 0.0);
      sum_columns(rows, cols, sum.data(), [of_set](Size i) { return of_set[i]; });
      inverse.resize(sum.size());
      for (std::size_t j = 0; j < sum.size(); ++j)
        inverse[j] = sum[j] > 0 ? static_cast<Real>(1 / sum[j]) : Real{0};
      Real* const into = share.data() + at;
      for_columns(rows, cols, inverse.data(), [=](Size i, Real c) { into[i] = of_set[i] * c; });
    });
    shared_gradient(run, u.data(), share.data(), g, factor, ds);
  };
  return record_weights("segment_entmax", scores, sets, forward, backward);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
