#include "tarn/core/errors.hpp"
#include "tarn/core/layers.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/set_norm.hpp"

#include "module_walk.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 3, 3, 4, 700});

/// Mean and biased variance of column j over rows, by the plain loop in double.
std::pair<double, double> plain_moments(const Tensor& x, Rows rows, Size j) {
  double mean = 0, variance = 0;
  const double n = static_cast<double>(rows.size());
  for (Size i = rows.begin; i < rows.end; ++i) mean += static_cast<double>(x.matrix()(i, j)) / n;
  for (Size i = rows.begin; i < rows.end; ++i) {
    variance += std::pow(static_cast<double>(x.matrix()(i, j)) - mean, 2) / n;
  }
  return {mean, variance};
}

}  // namespace

TEST_CASE("moments equal the plain loop, also far from zero and around an outlier", "[core][norm]") {
  Tensor x = random_tensor({700, 5}, Rng(1));
  for (Size i = 0; i < 700; ++i) {
    x.matrix()(i, 1) += 10000;
    x.matrix()(i, 2) *= Real(1e-4);
  }
  x.matrix()(4, 3) = 1e6;  // the first row of a set: sums are taken about it
  Tape tape;
  tape.reset();
  const ChannelMoments m = channel_moments(tape, std::as_const(x).matrix(), sets);
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size j = 0; j < 5; ++j) {
      const auto [mean, variance] = plain_moments(x, sets.rows(b), j);
      const auto k = static_cast<std::size_t>(b * 5 + j);
      CHECK(m.mean[k] == Approx(mean).margin(1e-12));
      CHECK(m.variance[k] == Approx(variance).epsilon(1e-10).margin(1e-12));
    }
  }
}

TEST_CASE("layer_norm gives every row mean 0 and variance 1", "[core][norm]") {
  Tensor x = random_tensor({9, 37}, Rng(2));
  std::fill_n(x.matrix().row(4), 37, Real(3));
  Tape tape;
  tape.reset();
  const Var y = layer_norm(tape.input(x), {}, {}, 1e-12);
  for (Size i = 0; i < 9; ++i) {
    Tensor column({37, 1}, y.value().row_span(i));
    const auto [mean, variance] = plain_moments(column, {0, 37}, 0);
    CHECK(mean == Approx(0).margin(1e-6));
    CHECK(variance == Approx(i == 4 ? 0 : 1).margin(1e-5));
  }
}

TEST_CASE("layer_norm refuses weights of another width", "[core][norm][errors]") {
  const Tensor x({2, 3}), w({4});
  Tape tape;
  tape.reset();
  CHECK_THROWS_WITH(layer_norm(tape.input(x), tape.input(w), {}),
                    "layer_norm: x has width 3, weight has shape [4]; expected [3]");
}

TEST_CASE("batch norm keeps running statistics and leaves them alone where it has no batch", "[core][norm]") {
  const auto running = [](BatchNorm& norm) {
    std::vector<Real> values;
    for (const auto& [name, p] : norm.state()) {
      if (!p->trainable) values.insert(values.end(), p->value.flat().begin(), p->value.flat().end());
    }
    return values;
  };
  const auto train = [](BatchNorm& norm, const Tensor& x) {
    Tape tape;
    tape.reset({.training = true});
    return numbers(norm.forward(tape.input(x)).value());
  };
  BatchNorm norm(2);
  const Tensor x({2, 2}, std::array<Real, 4>{1, 10, 3, 10});
  const auto y = train(norm, x);
  CHECK(y[0] == Approx(-1).margin(1e-4));
  CHECK(y[2] == Approx(1).margin(1e-4));
  CHECK(y[1] == 0);
  // mean (2, 10), unbiased variance (2, 0), momentum 0.1
  const std::vector<Real> expected{Real(0.2), Real(1), Real(0.9 + 0.2), Real(0.9)};
  check_close(running(norm), expected);

  CHECK(train(norm, Tensor({0, 2})).empty());
  check_close(running(norm), expected);
  CHECK_THROWS_WITH(
      train(norm, Tensor({1, 2})),
      "batch-norm: a training batch of one row; expected at least two (statistics over the batch)");

  BatchNorm lenient(2, {.single_row = SingleRow::use_running});
  const Tensor one({1, 2}, std::array<Real, 2>{5, 7});
  const Real root = static_cast<Real>(std::sqrt(1 + 1e-5));
  check_close(train(lenient, one), std::vector<Real>{5 / root, 7 / root});
  CHECK(running(lenient) == std::vector<Real>{0, 0, 1, 1});

  BatchNorm alone(2, {.single_row = SingleRow::bias_alone});
  for (Parameter* p : alone.parameters()) p->value.fill(Real(0.25));
  check_close(train(alone, one), std::vector<Real>{Real(0.25), Real(0.25)});
  CHECK(running(alone) == std::vector<Real>{0, 0, 1, 1});
}

TEST_CASE("batch norm without affine has no parameters", "[core][norm]") {
  BatchNorm norm(3, {.affine = Affine::no});
  CHECK(norm.parameters().empty());
  CHECK(norm.state().size() == 2);
}

TEST_CASE("a chain that ends with its activation numbers its layers on", "[core][norm]") {
  Chain chain({3, 6, 3}, ChainNorm::batch_norm, Activation::relu, ChainEnd::activation);
  std::vector<std::string> names;
  for (const auto& [name, p] : chain.state()) {
    if (p->trainable) names.push_back(name);
  }
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias",
                                          "4.weight", "4.bias"});
  chain.init(Rng(1));
  const Tensor x = random_tensor({8, 3}, Rng(2));
  Tape tape;
  tape.reset();
  const auto y = numbers(chain.forward(tape.input(x), "chain").value());
  CHECK(*std::min_element(y.begin(), y.end()) >= 0);
}

#if TARN_DOUBLE
TEST_CASE("gradients of layer_norm and centring agree with central differences", "[core][norm][gradients]") {
  LayerNorm norm(7);
  for (Parameter* p : norm.parameters()) p->value = random_tensor(p->value.shape(), Rng(3));
  Tensor x = random_tensor({300, 7}, Rng(4));
  check_gradients(norm, std::vector{&x}, true,
                  [&](Tape&, std::span<const Var> in) { return norm.forward(in[0]); });
  check_gradients(norm, std::vector{&x}, true, [&](Tape&, std::span<const Var> in) {
    return add(norm.forward(in[0]), centre_sets(in[0], Segments({0, 1, 290, 290, 300})));
  });
}
#endif
