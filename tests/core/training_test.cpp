#include "tarn/core/errors.hpp"
#include "tarn/core/layers.hpp"
#include "tarn/core/losses.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/optimiser.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

namespace {

Tensor filled(const Shape& shape, std::initializer_list<double> values) {
  Tensor t(shape);
  std::transform(values.begin(), values.end(), t.data(), [](double v) { return static_cast<Real>(v); });
  return t;
}

/// One parameter with a gradient, as an optimiser sees it.
struct Lone final : Module {
  Parameter& p = parameter("p", {2}, constant(1));
  void set_gradient(double a, double b) {
    p.grad.data()[0] = static_cast<Real>(a);
    p.grad.data()[1] = static_cast<Real>(b);
    p.has_grad = true;
  }
};

}  // namespace

TEST_CASE("Adam's first steps are those of the paper", "[core][optimiser]") {
  Lone m;
  const auto adam = make_adam(m.parameters(), {.lr = 0.1});
  m.set_gradient(0.5, -2);
  adam->step();
  // The first corrected step is lr * g / (|g| + eps).
  CHECK(m.p.value.data()[0] == Approx(0.9).epsilon(1e-5));
  CHECK(m.p.value.data()[1] == Approx(1.1).epsilon(1e-5));
  m.set_gradient(0.5, 0);
  adam->step();
  CHECK(m.p.value.data()[0] == Approx(0.8).epsilon(1e-5));
  const double first = 0.9 * -0.2 / (1 - 0.81), second = 0.999 * 0.004 / (1 - 0.998001);
  CHECK(m.p.value.data()[1] == Approx(1.1 - 0.1 * first / (std::sqrt(second) + 1e-8)).epsilon(1e-5));
  CHECK_FALSE(m.p.has_grad);
  adam->step();
  CHECK(m.p.value.data()[0] == Approx(0.8).epsilon(1e-5));
}

TEST_CASE("weight decay is added to the gradient or decoupled", "[core][optimiser]") {
  Lone l2, decoupled;
  const auto adam = make_adam(l2.parameters(), {.lr = 0.1, .weight_decay = 0.5});
  const auto adamw =
      make_adam(decoupled.parameters(), {.lr = 0.1, .weight_decay = 0.5, .decay = WeightDecay::decoupled});
  l2.set_gradient(0, 0);
  decoupled.set_gradient(0, 0);
  adam->step();
  adamw->step();
  CHECK(l2.p.value.data()[0] == Approx(0.9).epsilon(1e-5));
  CHECK(decoupled.p.value.data()[0] == Approx(0.95).epsilon(1e-5));
}

TEST_CASE("SGD with momentum, and clipping to a norm", "[core][optimiser]") {
  Lone m;
  const auto sgd = make_sgd(m.parameters(), {.lr = 0.1, .momentum = 0.9});
  m.set_gradient(3, 4);
  const std::vector<Parameter*> parameters = m.parameters();
  CHECK(clip_norm(parameters, 1) == Approx(5));
  sgd->step();
  CHECK(m.p.value.data()[0] == Approx(1 - 0.1 * 0.6));
  m.set_gradient(0, 0);
  sgd->step();
  CHECK(m.p.value.data()[0] == Approx(1 - 0.1 * 0.6 - 0.1 * 0.9 * 0.6));
}

TEST_CASE("parameters may learn at rates of their own", "[core][optimiser]") {
  struct Pair final : Module {
    Parameter& fast = parameter("fast", {1}, constant(1));
    Parameter& slow = parameter("slow", {1}, constant(1));
  } m;
  const auto sgd = make_sgd(m.parameters(), {.lr = 0.1});
  sgd->set_lr_scales({1, 0.25});
  sgd->set_lr_factor(0.5);
  for (Parameter* p : m.parameters()) {
    p->grad.fill(1);
    p->has_grad = true;
  }
  sgd->step();
  CHECK(m.fast.value.data()[0] == Approx(1 - 0.05));
  CHECK(m.slow.value.data()[0] == Approx(1 - 0.0125));
  CHECK_THROWS_WITH(sgd->set_lr_scales({1}),
                    "optimiser: got 1 scales of the learning rate; expected 2, one a parameter");
}

TEST_CASE("schedules rise, fall and stay", "[core][optimiser]") {
  CHECK(Schedule{}.factor(1000) == 1);
  const Schedule cosine{.kind = Schedule::Kind::cosine, .warmup = 10, .total = 110};
  CHECK(cosine.factor(4) == Approx(0.5));
  CHECK(cosine.factor(10) == Approx(1));
  CHECK(cosine.factor(60) == Approx(0.5));
  CHECK(cosine.factor(110) == Approx(0).margin(1e-12));
  CHECK(Schedule{.kind = Schedule::Kind::linear, .total = 100}.factor(25) == Approx(0.75));
}

TEST_CASE("cross entropy is the mean of -log softmax, stable for large logits", "[core][losses]") {
  Tape tape;
  tape.reset();
  const Tensor logits = filled({2, 2}, {1000, 0, 0, 1});
  const Var z = tape.input(logits, NeedsGrad::yes);
  const Var loss = cross_entropy(z, std::vector<Size>{0, 0});
  CHECK(loss.value().data[0] == Approx(0.5 * std::log(1 + std::exp(1.0))));
  tape.backward(loss);
  CHECK(tape.grad(z)(0, 0) == Approx(0).margin(1e-6));
  CHECK(tape.grad(z)(1, 1) == Approx(0.5 / (1 + std::exp(-1.0))));
  CHECK_THROWS_WITH(cross_entropy(z, std::vector<Size>{0, 2}),
                    "cross_entropy: label 2 of row 1; expected 0 to 1");
  CHECK_THROWS_AS(cross_entropy(z, std::vector<Size>{0}), ShapeError);
}

TEST_CASE("a contrastive batch of one has loss zero", "[core][losses]") {
  Tape tape;
  tape.reset();
  const Tensor a = filled({1, 2}, {1, 2});
  CHECK(contrastive_loss(tape.input(a), tape.input(a), 0.07).value().data[0] == 0);
}

TEST_CASE("nothing is recorded for inputs that need no gradient", "[core][tape]") {
  Tape tape;
  tape.reset();
  const Tensor x = filled({2, 2}, {1, -2, 3, 4});
  CHECK_FALSE(relu(tape.input(x)).needs_grad());
  CHECK(relu(tape.input(x, NeedsGrad::yes)).needs_grad());
}

TEST_CASE("a steady training step asks the system for no memory", "[core][tape]") {
  Linear layer(32, 8);
  layer.init(Rng(1));
  const Tensor x({64, 32});
  const std::vector<Size> labels(64, 3);
  const auto adam = make_adam(layer.parameters(), {});
  Tape tape;
  const auto step = [&] {
    tape.reset({.training = true});
    tape.backward(cross_entropy(layer.forward(tape.input(x), Activation::tanh), labels));
    adam->step();
  };
  for (int i = 0; i < 3; ++i) step();
  const std::size_t before = tape.arena().system_allocations();
  for (int i = 0; i < 20; ++i) step();
  CHECK(tape.arena().system_allocations() == before);
}

TEST_CASE("dropout keeps its share, its mean and its seed", "[core][ops]") {
  Tensor x({1000, 10});
  x.fill(1);
  const auto draw = [&](std::uint64_t seed) {
    Tape tape;
    tape.reset({.training = true, .rng = Rng(seed)});
    const Var y = dropout(tape.input(x), 0.3);
    return std::vector<Real>(y.value().data, y.value().data + x.size());
  };
  const auto y = draw(1);
  const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), Real{0}));
  CHECK(std::abs(dropped / 10000 - 0.3) < 4 * std::sqrt(0.3 * 0.7 / 10000));
  CHECK(*std::max_element(y.begin(), y.end()) == Approx(1 / 0.7));
  CHECK(draw(1) == y);
  CHECK(draw(2) != y);
}

TEST_CASE("a parameter of another shape or an unknown name is refused", "[core][module][errors]") {
  Linear layer(3, 2);
  CHECK_THROWS_WITH(layer.load("weight", {3, 2}, std::vector<double>(6)),
                    "parameter 'weight': got shape [3, 2]; expected [2, 3]");
  CHECK_THROWS_WITH(layer.load("wieght", {2, 3}, std::vector<double>(6)),
                    "unknown parameter 'wieght'; did you mean 'weight'? (known: weight, bias)");
}

TEST_CASE("products agree with plain loops for every transposition and ragged size", "[core][product]") {
  const auto random = [](Size rows, Size cols, std::uint64_t seed) {
    Tensor t({rows, cols});
    for (Size i = 0; i < t.size(); ++i)
      t.data()[i] = static_cast<Real>(Rng(seed).normal(static_cast<std::uint64_t>(i)));
    return t;
  };
  struct Case {
    Size m, n, k;
  };
  for (const Case s : {Case{1, 1, 1}, Case{300, 17, 5}, Case{5, 33, 2500}, Case{0, 3, 4}, Case{3, 4, 0}}) {
    for (const Transpose ta : {Transpose::no, Transpose::yes}) {
      for (const Transpose tb : {Transpose::no, Transpose::yes}) {
        const Tensor a = ta == Transpose::no ? random(s.m, s.k, 1) : random(s.k, s.m, 1);
        const Tensor b = tb == Transpose::no ? random(s.k, s.n, 2) : random(s.n, s.k, 2);
        Tensor c({s.m, s.n});
        c.fill(1);
        multiply(a.matrix(), ta, b.matrix(), tb, c.matrix(), Write::add);
        double worst = 0;
        for (Size i = 0; i < s.m; ++i) {
          for (Size j = 0; j < s.n; ++j) {
            double want = 1;
            for (Size k = 0; k < s.k; ++k) {
              want += static_cast<double>(ta == Transpose::no ? a.matrix()(i, k) : a.matrix()(k, i)) *
                      static_cast<double>(tb == Transpose::no ? b.matrix()(k, j) : b.matrix()(j, k));
            }
            worst = std::max(worst, std::abs(want - static_cast<double>(c.matrix()(i, j))));
          }
        }
        INFO(s.m << " " << s.n << " " << s.k);
        CHECK(worst < (sizeof(Real) == 8 ? 1e-10 : 1e-3));
      }
    }
  }
}
