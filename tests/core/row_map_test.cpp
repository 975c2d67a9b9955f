#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/log_softmax.hpp"
#include "tarn/core/ops/slice.hpp"

#include "core/op_fixture.hpp"

#include <numbers>

using namespace tarn;
using namespace tarn::test;

namespace {

constexpr std::array activations{Activation::none, Activation::relu, Activation::tanh, Activation::sigmoid,
                                 Activation::gelu};

double plain(Activation a, double x) {
  switch (a) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::gelu:
      return x * (1 + std::erf(x / std::numbers::sqrt2)) / 2;
  }
  return 0;
}

}  // namespace

TEST_CASE("every activation equals its formula, alone and behind a linear map", "[core][row-map]") {
  for (const Activation a : activations) {
    CAPTURE(static_cast<int>(a));
    const Tensor x = random_tensor({5, 300}, 1), w = random_tensor({3, 300}, 2), b = random_tensor({3}, 3);
    std::vector<double> want;
    for (const Real v : x.flat()) want.push_back(plain(a, static_cast<double>(v)));
    const Operation alone = [=](Tape&, const Inputs& in) { return activate(in[0], a); };
    check_near(evaluate(tensors(x), alone).y, want, rounding(2e-6, 1e-13));
    check_gradients(tensors(x), alone);
    const Operation behind = [=](Tape&, const Inputs& in) { return linear(in[0], in[1], in[2], a); };
    const auto products =
        evaluate(tensors(x, w, b), [](Tape&, const Inputs& in) { return linear(in[0], in[1], in[2]); }).y;
    want.clear();
    for (const double v : products) want.push_back(plain(a, v));
    check_near(evaluate(tensors(x, w, b), behind).y, want, rounding(5e-6, 1e-13));
    check_gradients(tensors(x, w, b), behind);
  }
}

TEST_CASE("an activation adds to a gradient that is there already", "[core][row-map]") {
  check_gradients(tensors(random_tensor({4, 7}, 1)), [](Tape&, const Inputs& in) {
    return add(activate(in[0], Activation::gelu), activate(in[0], Activation::tanh));
  });
}

TEST_CASE("a gated linear unit is a gelu(b)", "[core][row-map]") {
  const Tensor x = random_tensor({6, 4}, 1), w = random_tensor({10, 4}, 2), b = random_tensor({10}, 3);
  const Operation gated = [](Tape&, const Inputs& in) { return linear_gated_gelu(in[0], in[1], in[2]); };
  const Operation composed = [](Tape&, const Inputs& in) {
    const Var h = linear(in[0], in[1], in[2]);
    return multiply_elements(slice_columns(h, 0, 5), activate(slice_columns(h, 5, 10), Activation::gelu));
  };
  check_near(evaluate(tensors(x, w, b), gated).y, evaluate(tensors(x, w, b), composed).y,
             rounding(1e-6, 1e-14));
  check_gradients(tensors(x, w, b), gated);
  check_gradients(tensors(x, w, b), composed);
  CHECK_THROWS_AS(evaluate(tensors(x, random_tensor({3, 4}, 1), random_tensor({3}, 1)), gated), ShapeError);
}

TEST_CASE("slices are views of rows and columns", "[core][row-map]") {
  const Tensor x = random_tensor({5, 4}, 1);
  const Operation rows = [](Tape&, const Inputs& in) { return slice_rows(in[0], 1, 4); };
  const auto got = evaluate(tensors(x), rows);
  CHECK(got.y == doubles(x.matrix().row_block(1, 4)));
  CHECK(got.gradients[0][0] == 0);
  const Operation both = [](Tape&, const Inputs& in) {
    return add(slice_columns(in[0], 0, 2), slice_columns(in[0], 1, 3));
  };
  check_gradients(tensors(x), both);
}

TEST_CASE("log softmax and log sum exp agree with their formulas", "[core][row-map]") {
  Tensor x = random_tensor({4, 5}, 1), z = random_tensor({4, 5}, 2);
  for (Size j = 0; j < 5; ++j) x.matrix()(0, j) *= 1000;
  const Operation softmax = [](Tape&, const Inputs& in) { return log_softmax(in[0]); };
  const auto y = evaluate(tensors(x), softmax).y;
  for (std::size_t i = 0; i < 4; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < 5; ++j) sum += std::exp(y[5 * i + j]);
    CHECK(sum == Approx(1).epsilon(1e-5));
  }
  check_gradients(tensors(random_tensor({4, 5}, 3)), softmax);
  const Operation lse = [](Tape&, const Inputs& in) { return log_sum_exp(in); };
  const auto joined = evaluate(tensors(x, z), lse).y;
  for (std::size_t i = 5; i < joined.size(); ++i) {
    CHECK(joined[i] == Approx(std::log(std::exp(static_cast<double>(x.flat()[i])) +
                                       std::exp(static_cast<double>(z.flat()[i]))))
                           .epsilon(1e-5)
                           .margin(1e-6));
  }
  check_gradients(tensors(random_tensor({4, 5}, 3), z), lse);
}
