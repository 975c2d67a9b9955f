#include "tarn/core/errors.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include "experiments/walk.hpp"

#include <map>
#include <numeric>
#include <set>

using namespace tarn;
using namespace tarn::test;

namespace {

/// Readouts for which the order of the rows is the point.
bool order_matters(const GoldenCase& c) {
  const Value* rule = c.options.find("graph");
  return c.op == "first" || c.op == "last" || (rule != nullptr && rule->text() == "\"window\"");
}

Size width_of(const GoldenCase& c) {
  return c.input("x").shape[-1];
}

std::unique_ptr<Readout> make(const GoldenCase& c) {
  auto readout = readouts().make(c.op, c.user_options());
  readout->init(Rng(5));
  return readout;
}

/// Forward without training.
std::vector<Real> pool(Readout& readout, const Tensor& x, const Segments& sets) {
  Tape tape;
  tape.reset();
  return numbers(readout.forward({.x = tape.input(x), .sets = sets}).y.value());
}

/// Rows of x in another order.
Tensor rows_in_order(const Tensor& x, std::span<const Size> order) {
  Tensor result({static_cast<Size>(order.size()), x.shape().cols()});
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(x.matrix().row(order[i]), x.shape().cols(), result.matrix().row(static_cast<Size>(i)));
  }
  return result;
}

std::span<const Real> row(const std::vector<Real>& y, Size b, Size width) {
  return std::span(y).subspan(static_cast<std::size_t>(b * width), static_cast<std::size_t>(width));
}

template <class Check>
void for_each_readout(Check check) {
  for (const GoldenCase& c : golden_cases("readout")) {
    INFO(c.where());
    check(c);
  }
}

const Segments sample_sets({0, 7, 7, 8, 20});

}  // namespace

TEST_CASE("permuting the rows of a set changes a readout by rounding only", "[walk][readout]") {
  for_each_readout([](const GoldenCase& c) {
    if (order_matters(c)) return;
    const auto readout = make(c);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(1));
    std::vector<Size> order(20);
    std::iota(order.begin(), order.end(), Size{0});
    std::reverse(order.begin(), order.begin() + 7);
    std::rotate(order.begin() + 8, order.begin() + 13, order.end());
    check_close(pool(*readout, rows_in_order(x, order), sample_sets), pool(*readout, x, sample_sets));
  });
}

TEST_CASE("a set pools alone as it does in a batch, and sets may change places", "[walk][readout]") {
  for_each_readout([](const GoldenCase& c) {
    const auto readout = make(c);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(2));
    const Size width = readout->out_dim(width_of(c));
    const std::vector<Real> together = pool(*readout, x, sample_sets);
    REQUIRE(static_cast<Size>(together.size()) == 4 * width);
    for (Size b = 0; b < sample_sets.count(); ++b) {
      std::vector<Size> rows(static_cast<std::size_t>(sample_sets.size(b)));
      std::iota(rows.begin(), rows.end(), sample_sets.rows(b).begin);
      const auto alone = pool(*readout, rows_in_order(x, rows), Segments::uniform(1, sample_sets.size(b)));
      check_close(alone, row(together, b, width));
    }
    std::vector<Size> order(20);
    std::iota(order.begin(), order.end(), Size{0});
    std::rotate(order.begin(), order.begin() + 8, order.end());
    const auto swapped = pool(*readout, rows_in_order(x, order), Segments({0, 12, 19, 19, 20}));
    check_close(row(swapped, 0, width), row(together, 3, width));
    check_close(row(swapped, 1, width), row(together, 0, width));
  });
}

TEST_CASE("empty sets pool to zeros without NaN, also alone and in the backward pass", "[walk][readout]") {
  for_each_readout([](const GoldenCase& c) {
    const auto readout = make(c);
    const Size width = readout->out_dim(width_of(c));
    const Tensor x = random_tensor({20, width_of(c)}, Rng(3));
    const auto y = pool(*readout, x, sample_sets);
    const auto empty = row(y, 1, width);
    CHECK(std::all_of(empty.begin(), empty.end(), [](Real v) { return v == 0; }));
    CHECK(all_finite(y));
    const auto only_empty = pool(*readout, Tensor({0, width_of(c)}), Segments::uniform(2, 0));
    CHECK(only_empty == std::vector<Real>(static_cast<std::size_t>(2 * width), Real{0}));
    CHECK(pool(*readout, Tensor({0, width_of(c)}), Segments()).empty());

    Tape tape;
    tape.reset();
    const Var in = tape.input(x, NeedsGrad::yes);
    const Var out = readout->forward({.x = in, .sets = sample_sets}).y;
    const Tensor ones = random_tensor(out.shape(), Rng(4));
    const std::pair<Var, ConstMatrixView> seed{out, ones.matrix()};
    tape.backward(std::span(&seed, 1));
    CHECK(all_finite(numbers(tape.grad(in))));
  });
}

TEST_CASE("a set of one row has weight exactly one", "[walk][readout]") {
  for_each_readout([](const GoldenCase& c) {
    const auto readout = make(c);
    const Tensor x = random_tensor({3, width_of(c)}, Rng(6));
    Tape tape;
    tape.reset();
    const Pooled pooled = readout->forward({.x = tape.input(x), .sets = Segments::uniform(3, 1)});
    CHECK(all_finite(numbers(pooled.y.value())));
    if (!pooled.weights.given()) return;
    for (const Real w : numbers(pooled.weights.value())) CHECK(w == 1);
  });
}

TEST_CASE("a readout and its gradients have the same bits for 1, 2 and 7 threads",
          "[walk][readout][threads]") {
  for_each_readout([](const GoldenCase& c) {
    const Tensor x = random_tensor({3000, width_of(c)}, Rng(7));
    const Segments sets({0, 1, 700, 700, 2600, 3000});
    const auto run = [&](int threads) {
      const Threads limit(threads);
      const auto readout = make(c);
      Tape tape;
      tape.reset({.training = true});
      const Var in = tape.input(x, NeedsGrad::yes);
      const Var y = readout->forward({.x = in, .sets = sets}).y;
      const Tensor cotangent = random_tensor(y.shape(), Rng(8));
      const std::pair<Var, ConstMatrixView> seed{y, cotangent.matrix()};
      tape.backward(std::span(&seed, 1));
      std::vector<Real> all = numbers(y.value());
      const auto append = [&](const std::vector<Real>& more) {
        all.insert(all.end(), more.begin(), more.end());
      };
      append(numbers(tape.grad(in)));
      settle_grads(readout->parameters());
      for (const Parameter* p : readout->parameters()) append(numbers(p->grad.matrix()));
      return all;
    };
    const auto one = run(1);
    CHECK(run(2) == one);
    CHECK(run(7) == one);
  });
}

TEST_CASE("a readout with copied state gives the same bits", "[walk][readout]") {
  for_each_readout([](const GoldenCase& c) {
    const auto first = make(c);
    const auto second = readouts().make(c.op, c.user_options());
    copy_state(*first, *second);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(9));
    CHECK(pool(*first, x, sample_sets) == pool(*second, x, sample_sets));
  });
}

TEST_CASE("a readout refuses sets that do not cover x and a wrong width", "[walk][readout][errors]") {
  for_each_readout([](const GoldenCase& c) {
    const auto readout = make(c);
    CHECK_THROWS_AS(pool(*readout, random_tensor({19, width_of(c)}, Rng(1)), sample_sets), ShapeError);
    CHECK_THROWS_AS(pool(*readout, Tensor({20, 0}), sample_sets), ShapeError);
    if (c.options.find("in_channels") != nullptr) {
      CHECK_THROWS_AS(pool(*readout, random_tensor({20, width_of(c) + 1}, Rng(1)), sample_sets), ShapeError);
    }
  });
}

#if TARN_DOUBLE
TEST_CASE("gradients of readouts agree with central differences", "[walk][readout][gradients]") {
  for_each_readout([](const GoldenCase& c) {
    const auto readout = make(c);
    // Zero biases would put dead rows exactly on the kink of the relu.
    for (Parameter* p : readout->parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
    Tensor x = random_tensor({20, width_of(c)}, Rng(10));
    // The graph is held fixed: no gradient flows through its choice.
    TokenGraph graph;
    const TokenGraphOptions* options = readout->token_graph_options();
    if (options != nullptr) graph = token_graph(x.matrix(), sample_sets, *options);
    Tape tape;
    Tensor cotangent;
    Var in;
    const auto forward = [&] {
      tape.reset();
      in = tape.input(x, NeedsGrad::yes);
      return readout->forward({.x = in, .sets = sample_sets, .graph = options != nullptr ? &graph : nullptr})
          .y;
    };
    const auto loss = [&] {
      const auto y = numbers(forward().value());
      return std::inner_product(y.begin(), y.end(), cotangent.data(), 0.0);
    };
    const Var y = forward();
    cotangent = random_tensor(y.shape(), Rng(11));
    const std::pair<Var, ConstMatrixView> seed{y, cotangent.matrix()};
    tape.backward(std::span(&seed, 1));
    settle_grads(readout->parameters());
    const auto dx = numbers(tape.grad(in));
    check_directional_derivative(x, dx, Rng(12), loss);
    for (Parameter* p : readout->parameters()) {
      INFO(p->name);
      check_directional_derivative(p->value, p->grad.flat(), Rng(13), loss);
    }
  });
}
#endif
