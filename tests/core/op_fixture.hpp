#pragma once

#include "tarn/core/ops/segment.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/tape.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

/// What the tests of operations on sets share.
namespace tarn::test {

inline Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor t(shape);
  for (Size i = 0; i < t.size(); ++i)
    t.data()[i] = static_cast<Real>(Rng(seed).normal(static_cast<std::uint64_t>(i)));
  return t;
}

inline std::vector<double> doubles(ConstMatrixView m) {
  std::vector<double> result;
  for (Size i = 0; i < m.rows; ++i) result.insert(result.end(), m.row(i), m.row(i) + m.cols);
  return result;
}

/// Sets that meet every path: empty ones first, in the middle and last, one row, some rows, several chunks.
inline Segments awkward_sets() {
  return Segments({0, 0, 1, 4, 4, 41, 2600, 2632, 2632});
}

/// Copies of some tensors, as the inputs of an operation.
template <class... T>
std::vector<Tensor> tensors(const T&... t) {
  std::vector<Tensor> result;
  (result.push_back(t.clone()), ...);
  return result;
}

using Inputs = std::vector<Var>;
using Operation = std::function<Var(Tape&, const Inputs&)>;

/// Value and gradients of an operation at some inputs, from a random cotangent.
struct Evaluated {
  std::vector<double> y;
  std::vector<std::vector<double>> gradients;  ///< one per input

  friend bool operator==(const Evaluated&, const Evaluated&) = default;
};

inline Tensor cotangent_for(const Shape& shape) {
  return random_tensor(shape, 99);
}

inline Evaluated evaluate(const std::vector<Tensor>& at, const Operation& operation, Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  Inputs inputs;
  for (const Tensor& t : at) inputs.push_back(tape.input(t, NeedsGrad::yes));
  const Var y = operation(tape, inputs);
  Evaluated result{doubles(y.value()), {}};
  const Tensor cotangent = cotangent_for(y.shape());
  const std::pair<Var, ConstMatrixView> seed{
      y, ConstMatrixView(cotangent.data(), y.value().rows, y.value().cols)};
  tape.backward(std::span(&seed, 1));
  for (const Var& v : inputs) result.gradients.push_back(doubles(tape.grad(v)));
  return result;
}

inline void check_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
  REQUIRE(got.size() == want.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    // Written so that a NaN counts.
    const double error = std::abs(got[i] - want[i]) / std::max(1.0, std::abs(want[i]));
    if (!(error <= worst)) worst = error;
  }
  CHECK(worst <= tolerance);
}

/// Rounding that a test allows: in float, and in double.
inline double rounding(double in_float, double in_double) {
  return sizeof(Real) == sizeof(double) ? in_double : in_float;
}

/// The gradients of `operation` against central differences along random directions, in double; in float that
/// says nothing, and only that nothing is NaN is checked.
inline void check_gradients(const std::vector<Tensor>& at, const Operation& operation, Pass pass = {}) {
  const Evaluated here = evaluate(at, operation, pass);
  std::vector<Tensor> moved;
  for (const Tensor& t : at) moved.push_back(t.clone());
  const auto loss = [&] {
    Tape tape;
    tape.reset(pass);
    Inputs inputs;
    for (const Tensor& t : moved) inputs.push_back(tape.input(t));
    const Var y = operation(tape, inputs);
    const Tensor cotangent = cotangent_for(y.shape());
    const auto values = doubles(y.value());
    return std::inner_product(values.begin(), values.end(), cotangent.data(), 0.0);
  };
  for (std::size_t k = 0; k < at.size(); ++k) {
    CAPTURE(k);
    const Tensor direction = random_tensor(at[k].shape(), 7 + k);
    double expected = 0, scale = 1e-3;
    for (std::size_t i = 0; i < here.gradients[k].size(); ++i) {
      const double term = here.gradients[k][i] * static_cast<double>(direction.flat()[i]);
      expected += term;
      scale += std::abs(term);
    }
    CHECK(std::isfinite(expected));
    if (sizeof(Real) != sizeof(double)) continue;
    const double step = 1e-6;
    const auto loss_at = [&](double t) {
      for (Size i = 0; i < at[k].size(); ++i)
        moved[k].data()[i] = at[k].data()[i] + static_cast<Real>(t) * direction.data()[i];
      return loss();
    };
    const double quotient = (loss_at(step) - loss_at(-step)) / (2 * step);
    loss_at(0);
    CHECK(std::abs(quotient - expected) < 1e-5 * scale);
  }
}

/// The same bits, values and gradients, for 1, 2 and 7 threads.
inline void check_threads(const std::vector<Tensor>& at, const Operation& operation, Pass pass = {}) {
  const auto with = [&](int count) {
    const Threads threads(count);
    return evaluate(at, operation, pass);
  };
  const Evaluated one = with(1);
  CHECK(with(2) == one);
  CHECK(with(7) == one);
}

inline Tensor rows_of(const Tensor& x, Rows rows) {
  Tensor part({rows.size(), x.shape().cols()});
  std::copy_n(x.matrix().row(rows.begin), part.size(), part.data());
  return part;
}

}  // namespace tarn::test
