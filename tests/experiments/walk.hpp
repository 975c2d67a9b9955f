#pragma once

#include "tarn/core/module.hpp"
#include "tarn/experiments/conform/adapters.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

/// What the walks over registered operators share.
namespace tarn::test {

inline std::vector<GoldenCase> golden_cases(const std::string& family) {
  std::vector<GoldenCase> cases;
  for (const char* file : {"glot.h5", "convolutions.h5", "readouts.h5"}) {
    for (GoldenCase& c : read_golden(std::string(TARN_TESTS_DIR "/golden/") + file)) {
      const Adapter* adapter = find_adapter(c.op);
      if (adapter != nullptr && adapter->family == family) cases.push_back(std::move(c));
    }
  }
  return cases;
}

inline Tensor random_tensor(const Shape& shape, const Rng& rng) {
  Tensor t(shape);
  for (Size i = 0; i < t.size(); ++i)
    t.data()[i] = static_cast<Real>(rng.normal(static_cast<std::uint64_t>(i)));
  return t;
}

inline std::vector<Real> numbers(ConstMatrixView m) {
  std::vector<Real> result;
  for (Size i = 0; i < m.rows; ++i) result.insert(result.end(), m.row(i), m.row(i) + m.cols);
  return result;
}

/// Products of other heights and sums in another order differ by rounding.
inline double rounding() {
  return sizeof(Real) == sizeof(double) ? 1e-10 : 2e-4;
}

inline void check_close(std::span<const Real> got, std::span<const Real> want) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double scale = 1 + std::abs(static_cast<double>(want[i]));
    worst = std::max(worst, std::abs(static_cast<double>(got[i] - want[i])) / scale);
  }
  CHECK(worst < rounding());
}

inline bool all_finite(std::span<const Real> values) {
  return std::all_of(values.begin(), values.end(), [](Real v) { return std::isfinite(v); });
}

/// Copies the state of one module into another of the same kind, as saving and loading does.
inline void copy_state(Module& from, Module& to) {
  for (const auto& [name, p] : from.state()) {
    const std::vector<double> values(p->value.flat().begin(), p->value.flat().end());
    to.load(name, p->value.shape(), values);
  }
}

/// d loss / d direction by central differences against <gradient, direction>; `loss` reads the tensor anew at
/// each call.
template <class Loss>
void check_directional_derivative(Tensor& at, std::span<const Real> gradient, const Rng& rng, Loss loss) {
  const Tensor direction = random_tensor(at.shape(), rng);
  const Tensor start = at.clone();
  const double step = 1e-6;
  double expected = 0, scale = 1e-3;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double term = static_cast<double>(gradient[i]) * static_cast<double>(direction.flat()[i]);
    expected += term;
    scale += std::abs(term);
  }
  const auto moved = [&](double t) {
    for (Size i = 0; i < at.size(); ++i)
      at.data()[i] = start.data()[i] + static_cast<Real>(t) * direction.data()[i];
    return loss();
  };
  const double quotient = (moved(step) - moved(-step)) / (2 * step);
  moved(0);
  CHECK(std::abs(quotient - expected) < 1e-5 * scale);
}

}  // namespace tarn::test
