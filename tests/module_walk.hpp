#pragma once

#include "tarn/core/module.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

/// Random inputs, comparisons, and the gradients of a module or an operation against central differences.
namespace tarn::test {

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
/// each call. A step that crosses the kink of a relu, or along which the slope turns, says nothing of a
/// gradient: shorter ones decide.
template <class Loss>
void check_directional_derivative(Tensor& at, std::span<const Real> gradient, const Rng& rng, Loss loss) {
  const Tensor direction = random_tensor(at.shape(), rng);
  const Tensor start = at.clone();
  double expected = 0, scale = 0;
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
  double difference = 0, allowed = 0;
  for (const double step : {1e-6, 1e-7, 1e-8}) {
    const double after = moved(step), before = moved(-step);
    difference = std::abs((after - before) / (2 * step) - expected);
    // The difference of two losses carries their own rounding.
    allowed = 1e-5 * scale + 1e-14 * (10 + std::abs(after) + std::abs(before)) / step;
    if (difference < allowed) break;
  }
  moved(0);
  CHECK(difference < allowed);
}

/// What a module gives, and the gradients of its inputs and then of its parameters, one after another.
struct WalkResult {
  std::vector<Real> y, gradients;
};

/// Runs `forward(tape, input variables) -> Var` on inputs that need gradients, and backward from random
/// cotangents. An input of rank 0 is not given.
template <class Forward>
WalkResult run_module(Module& module, std::span<const Tensor* const> inputs, bool training, Forward forward) {
  Tape tape;
  tape.reset({.training = training});
  std::vector<Var> vars;
  for (const Tensor* t : inputs) {
    vars.push_back(t->shape().rank() > 0 ? tape.input(*t, NeedsGrad::yes) : Var{});
  }
  const Var y = forward(tape, std::span<const Var>(vars));
  const Tensor cotangent = random_tensor(y.shape(), Rng(22));
  const std::pair<Var, ConstMatrixView> seed{y, cotangent.matrix()};
  tape.backward(std::span(&seed, 1));
  WalkResult result{numbers(y.value()), {}};
  const auto append = [&](ConstMatrixView more) {
    for (const Real v : numbers(more)) result.gradients.push_back(v);
  };
  for (const Var& v : vars) {
    if (v.given()) append(tape.grad(v));
  }
  settle_grads(module.parameters());
  for (Parameter* p : module.parameters()) {
    append(p->grad.matrix());
    p->has_grad = false;
  }
  return result;
}

/// Gradients of all inputs and parameters against central differences; for double precision.
template <class Forward>
void check_gradients(Module& module, std::span<Tensor* const> inputs, bool training, Forward forward) {
  const std::vector<const Tensor*> constant(inputs.begin(), inputs.end());
  const auto run = [&] { return run_module(module, constant, training, forward); };
  const WalkResult start = run();
  const Tensor cotangent = random_tensor({static_cast<Size>(start.y.size())}, Rng(22));
  const auto loss = [&] {
    const auto y = run().y;
    double total = 0;
    for (std::size_t i = 0; i < y.size(); ++i) total += static_cast<double>(y[i] * cotangent.data()[i]);
    return total;
  };
  std::span<const Real> gradients = start.gradients;
  const auto check = [&](Tensor& tensor) {
    const auto part = gradients.first(static_cast<std::size_t>(tensor.size()));
    gradients = gradients.subspan(part.size());
    check_directional_derivative(tensor, part, Rng(12), loss);
  };
  for (Tensor* t : inputs) {
    if (t->shape().rank() > 0) check(*t);
  }
  for (Parameter* p : module.parameters()) {
    INFO(p->name);
    check(p->value);
  }
}

}  // namespace tarn::test
