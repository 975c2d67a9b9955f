#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

/// Mean of value(y, target) over the known entries, with the gradient slope(y, target).
template <class Value, class Slope>
Var mean_over_known(const char* name, Var y, std::span<const double> targets, Value value, Slope slope) {
  const ConstMatrixView z = y.value();
  if (static_cast<Size>(targets.size()) != z.size()) {
    throw ShapeError(fmt::format("{}: got {} targets for {}; expected one an entry", name, targets.size(),
                                 y.shape().text()));
  }
  Tape& tape = y.tape();
  const std::span<double> kept = tape.allocate_array<double>(z.size());
  std::copy(targets.begin(), targets.end(), kept.begin());
  double total = 0, known = 0;
  for (Size i = 0; i < z.rows; ++i) {
    for (Size j = 0; j < z.cols; ++j) {
      const double target = kept[static_cast<std::size_t>(i * z.cols + j)];
      if (std::isnan(target)) continue;
      total += value(static_cast<double>(z(i, j)), target);
      known += 1;
    }
  }
  const double share = known > 0 ? 1 / known : 0;
  const MatrixView loss = tape.allocate({1});
  loss.data[0] = static_cast<Real>(total * share);
  return tape.record(name, {1}, loss, {y}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dz = tape.grad(y);
    const double g = static_cast<double>(dy.data[0]) * share;
    for (Size i = 0; i < z.rows; ++i) {
      for (Size j = 0; j < z.cols; ++j) {
        const double target = kept[static_cast<std::size_t>(i * z.cols + j)];
        if (!std::isnan(target))
          dz(i, j) += static_cast<Real>(g * slope(static_cast<double>(z(i, j)), target));
      }
    }
  });
}

}  // namespace

Var task_cross_entropy(Var logits, std::span<const double> targets) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (std::isnan(targets[i]) || (targets[i] >= 0 && targets[i] <= 1)) continue;
    throw ValueError(fmt::format("task_cross_entropy: target {} is {}; expected numbers in [0, 1], or NaN", i,
                                 targets[i]));
  }
  // softplus(x) - t x, with softplus(x) = max(x, 0) + log(1 + exp(-|x|)).
  return mean_over_known(
      "task_cross_entropy", logits, targets,
      [](double x, double t) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - t * x; },
      [](double x, double t) {
        const double e = std::exp(-std::abs(x));
        return (x >= 0 ? 1 : e) / (1 + e) - t;
      });
}

Var mean_squared_error(Var y, std::span<const double> targets) {
  return mean_over_known(
      "mean_squared_error", y, targets, [](double x, double t) { return (x - t) * (x - t); },
      [](double x, double t) { return 2 * (x - t); });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
