#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

namespace {

constexpr double step = sizeof(Real) == 8 ? 1e-5 : 1e-2;
constexpr double tolerance = sizeof(Real) == 8 ? 1e-9 : 2e-3;

/// The loss of numbers [3, 2], and its gradient if one is asked for.
template <class Loss>
double value_of(Loss loss, const std::vector<double>& numbers, std::vector<double>* gradient = nullptr) {
  Tensor x({3, 2});
  for (std::size_t i = 0; i < 6; ++i) x.data()[i] = static_cast<Real>(numbers[i]);
  Tape tape;
  tape.reset();
  const Var in = tape.input(x, NeedsGrad::yes);
  const Var out = loss(in);
  if (gradient != nullptr) {
    tape.backward(out);
    const MatrixView g = tape.grad(in);
    gradient->assign(g.data, g.data + 6);
  }
  return static_cast<double>(out.value().data[0]);
}

template <class Loss>
void check_gradient(Loss loss, const std::vector<double>& at) {
  std::vector<double> gradient;
  static_cast<void>(value_of(loss, at, &gradient));
  for (std::size_t i = 0; i < at.size(); ++i) {
    std::vector<double> up = at, down = at;
    up[i] += step;
    down[i] -= step;
    CHECK(gradient[i] == Approx((value_of(loss, up) - value_of(loss, down)) / (2 * step)).margin(tolerance));
  }
}

const double missing = std::nan("");
const std::vector<double> numbers{0.5, -1.25, 2, 0, -0.75, 1.5};

}  // namespace

TEST_CASE("task cross entropy skips what is missing and is stable", "[core][losses]") {
  const std::vector<double> targets{1, missing, 0, 0.5, 1, missing};
  const auto loss = [&](Var x) { return task_cross_entropy(x, targets); };
  const auto softplus = [](double x) { return std::log1p(std::exp(x)); };
  const double want = (softplus(-0.5) + softplus(2) + softplus(0) + softplus(0.75)) / 4;
  CHECK(value_of(loss, numbers) == Approx(want));
  check_gradient(loss, numbers);
  const std::vector<double> huge{1000, 0, -1000, 0, -1000, 0};
  std::vector<double> gradient;
  CHECK(value_of(loss, huge, &gradient) == Approx((1000 + std::log(2)) / 4));
  CHECK(gradient[4] == Approx(-0.25));
  CHECK(gradient[1] == 0);
}

TEST_CASE("the squared error skips what is missing", "[core][losses]") {
  const std::vector<double> targets{0, 1, missing, missing, 0.25, 1.5};
  const auto loss = [&](Var x) { return mean_squared_error(x, targets); };
  CHECK(value_of(loss, numbers) == Approx((0.25 + 5.0625 + 1 + 0) / 4));
  check_gradient(loss, numbers);
}

TEST_CASE("nothing known is no loss", "[core][losses]") {
  const std::vector<double> none(6, missing);
  std::vector<double> gradient;
  CHECK(value_of([&](Var x) { return task_cross_entropy(x, none); }, numbers, &gradient) == 0);
  CHECK(gradient == std::vector<double>(6, 0));
  CHECK(value_of([&](Var x) { return mean_squared_error(x, none); }, numbers) == 0);
}

TEST_CASE("targets that do not fit are refused", "[core][losses][errors]") {
  const std::vector<double> few{1}, wrong{0, 0, 0, 2, 0, 0};
  CHECK_THROWS_WITH(value_of([&](Var x) { return mean_squared_error(x, few); }, numbers),
                    "mean_squared_error: got 1 targets for [3, 2]; expected one an entry");
  CHECK_THROWS_WITH(value_of([&](Var x) { return task_cross_entropy(x, wrong); }, numbers),
                    "task_cross_entropy: target 3 is 2; expected numbers in [0, 1], or NaN");
}

TEST_CASE("smoothed labels share a part of the target out", "[core][losses]") {
  const std::vector<double> z = {0.5, -1, 2, 0.25, -0.5, 1.5};
  const std::vector<Size> labels = {0, 1, 1};
  const auto loss = [&](double smoothing) {
    return [&, smoothing](Var x) { return cross_entropy(x, labels, smoothing); };
  };
  double expected = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double norm = std::log(std::exp(z[2 * i]) + std::exp(z[2 * i + 1]));
    for (std::size_t c = 0; c < 2; ++c) {
      const double target = 0.7 * (labels[i] == static_cast<Size>(c) ? 1 : 0) + 0.15;
      expected += target * (norm - z[2 * i + c]) / 3;
    }
  }
  CHECK(value_of(loss(0.3), z) == Approx(expected));
  check_gradient(loss(0.3), z);
  check_gradient(loss(0), z);
}
