#include "tarn/core/errors.hpp"

#include "experiments/set_operators.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

constexpr std::array<Size, 4> sample_sizes{7, 0, 1, 6};

/// Rows of x in another order.
Tensor rows_in_order(const Tensor& x, std::span<const Size> order) {
  Tensor result({static_cast<Size>(order.size()), x.shape().cols()});
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(x.matrix().row(order[i]), x.shape().cols(), result.matrix().row(static_cast<Size>(i)));
  }
  return result;
}

Tensor rows_of_set(const Tensor& x, const Segments& sets, Size b) {
  std::vector<Size> rows(static_cast<std::size_t>(sets.size(b)));
  std::iota(rows.begin(), rows.end(), sets.rows(b).begin);
  return rows_in_order(x, rows);
}

/// The result, the gradient of x and those of the parameters, in training or not.
std::vector<Real> run_both_ways(const SetOperator& op, const Tensor& x, const Segments& sets, bool training) {
  Tape tape;
  tape.reset({.training = training, .rng = Rng(3)});
  const Var in = tape.input(x, NeedsGrad::yes);
  const Var y = op.forward(in, sets, x);
  const Tensor cotangent = random_tensor(y.shape(), Rng(8));
  const std::pair<Var, ConstMatrixView> seed{y, cotangent.matrix()};
  tape.backward(std::span(&seed, 1));
  std::vector<Real> all = numbers(y.value());
  const auto append = [&](const std::vector<Real>& more) { all.insert(all.end(), more.begin(), more.end()); };
  append(numbers(tape.grad(in)));
  settle_grads(op.module->parameters());
  for (Parameter* p : op.module->parameters()) {
    append(numbers(std::as_const(p->grad).matrix()));
    p->has_grad = false;
  }
  return all;
}

}  // namespace

TEST_CASE("permuting the rows of a set changes a readout by rounding only", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    if (op.order == RowOrder::read) return;
    const Segments sets = op.sets(sample_sizes);
    const Tensor x = op.rows(sets.num_rows(), 1);
    std::vector<Size> order(static_cast<std::size_t>(sets.num_rows()));
    std::iota(order.begin(), order.end(), Size{0});
    std::reverse(order.begin(), order.begin() + sets.rows(0).end);
    std::rotate(order.begin() + sets.rows(3).begin, order.begin() + sets.rows(3).begin + 2, order.end());
    check_close(op.pool(rows_in_order(x, order), sets), op.pool(x, sets));
  });
}

TEST_CASE("the order of the rows changes a readout that reads it", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    if (op.order != RowOrder::read) return;
    const Segments sets = op.sets(sample_sizes);
    const Tensor x = op.rows(sets.num_rows(), 1);
    std::vector<Size> order(static_cast<std::size_t>(sets.num_rows()));
    std::iota(order.begin(), order.end(), Size{0});
    std::reverse(order.begin(), order.begin() + sets.rows(0).end);
    CHECK(op.pool(rows_in_order(x, order), sets) != op.pool(x, sets));
  });
}

TEST_CASE("a set pools alone as it does in a batch, bit for bit, and sets may change places",
          "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Segments sets = op.sets(sample_sizes);
    const Tensor x = op.rows(sets.num_rows(), 2);
    const std::vector<Real> together = op.pool(x, sets);
    REQUIRE(static_cast<Size>(together.size()) == 4 * op.out_width);
    for (Size b = 0; b < sets.count(); ++b) {
      const auto alone = op.pool(rows_of_set(x, sets, b), Segments::uniform(1, sets.size(b)));
      CHECK(alone == op.part(together, b, 4));
    }
    std::vector<Size> order(static_cast<std::size_t>(sets.num_rows()));
    std::iota(order.begin(), order.end(), Size{0});
    std::rotate(order.begin(), order.begin() + sets.rows(3).begin, order.end());
    const Segments turned = op.sets(std::array{sets.size(3), sets.size(0), sets.size(1), sets.size(2)});
    const auto moved = op.pool(rows_in_order(x, order), turned);
    CHECK(op.part(moved, 0, 4) == op.part(together, 3, 4));
    CHECK(op.part(moved, 1, 4) == op.part(together, 0, 4));
  });
}

TEST_CASE("all empty sets pool to the same numbers, wherever they stand, without NaN also backward",
          "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Segments sets = op.sets(std::array<Size, 5>{0, 7, 0, 1, 0});
    const Tensor x = op.rows(sets.num_rows(), 3);
    const auto y = op.pool(x, sets);
    const auto empty = op.part(y, 0, 5);
    CHECK(all_finite(y));
    CHECK(op.part(y, 2, 5) == empty);
    CHECK(op.part(y, 4, 5) == empty);
    const Tensor nothing({0, op.row_width});
    const auto only_empty = op.pool(nothing, Segments::uniform(2, 0));
    CHECK(op.part(only_empty, 0, 2) == empty);
    CHECK(op.part(only_empty, 1, 2) == empty);
    CHECK(op.pool(nothing, Segments()).empty());
    CHECK(all_finite(run_both_ways(op, x, sets, false)));
    CHECK(all_finite(run_both_ways(op, nothing, Segments::uniform(2, 0), false)));
  });
}

TEST_CASE("a set of one row pools to finite numbers, and weights are exactly one", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Tensor x = op.rows(3, 6);
    CHECK(all_finite(run_both_ways(op, x, Segments::uniform(3, 1), false)));
    const auto* readout = dynamic_cast<Readout*>(op.module.get());
    if (readout == nullptr || !readout->needs().none() || op.order == RowOrder::drawn) return;
    Tape tape;
    tape.reset();
    const Pooled pooled =
        dynamic_cast<Readout&>(*op.module).forward({.x = tape.input(x), .sets = Segments::uniform(3, 1)});
    if (!pooled.weights.given() || !op.unit_weights) return;
    for (const Real w : numbers(pooled.weights.value())) CHECK(w == 1);
  });
}

TEST_CASE("a NaN stays inside its set", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    if (op.builds_graph) return;  // a graph is not built over NaN
    const Segments sets = op.sets(std::array<Size, 3>{5, 4, 3});
    const Tensor clean = op.rows(sets.num_rows(), 12);
    Tensor x = clean.clone();
    x.matrix()(sets.rows(1).begin + 1, op.row_width - 1) = std::numeric_limits<Real>::quiet_NaN();
    const auto with = op.pool(x, sets), without = op.pool(clean, sets);
    for (const Size b : {Size{0}, Size{2}}) CHECK(op.part(with, b, 3) == op.part(without, b, 3));
  });
}

TEST_CASE("rows of the size of 1e4 pool to finite numbers", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Segments sets = op.sets(sample_sizes);
    Tensor x = op.rows(sets.num_rows(), 13);
    for (Real& v : x.flat()) v *= Real(1e4);
    CHECK(all_finite(op.pool(x, sets)));
  });
}

TEST_CASE("a readout and its gradients have the same bits for 1, 2 and 7 threads",
          "[walk][readout][threads]") {
  for_each_set_operator([](auto draw) {
    const auto run = [&](int threads) {
      const Threads limit(threads);
      const SetOperator op = draw();
      const Segments sets = op.sets(std::array<Size, 5>{1, 199, 0, 1100, 100});
      return run_both_ways(op, op.rows(sets.num_rows(), 7), sets, true);
    };
    const auto one = run(1);
    CHECK(run(2) == one);
    CHECK(run(7) == one);
  });
}

TEST_CASE("one long set among many of one row pools as it does alone", "[walk][readout][slow]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    if (op.builds_graph) return;  // its memory is that of the graph
    std::vector<Size> sizes(200, Size{1});
    sizes[77] = 3000;
    const Segments sets = op.sets(sizes);
    const Tensor x = op.rows(sets.num_rows(), 15);
    const auto together = op.pool(x, sets);
    const auto alone = op.pool(rows_of_set(x, sets, 77), Segments::uniform(1, sets.size(77)));
    CHECK(op.part(together, 77, 200) == alone);
  });
}

TEST_CASE("a readout with copied state gives the same bits", "[walk][readout]") {
  for_each_set_operator([](auto draw) {
    const SetOperator first = draw(), second = draw();
    for (Parameter* p : second.module->parameters()) p->value.fill(0);
    copy_state(*first.module, *second.module);
    const Segments sets = first.sets(sample_sizes);
    const Tensor x = first.rows(sets.num_rows(), 9);
    CHECK(first.pool(x, sets) == second.pool(x, sets));
  });
}

TEST_CASE("a readout refuses sets that do not cover x and a wrong width", "[walk][readout][errors]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Segments sets = op.sets(sample_sizes);
    Tape tape;
    tape.reset();
    const auto run = [&](const Tensor& x, const Segments& over) {
      // What is taken beside x is made for the sets.
      const Tensor rows = op.rows(sets.num_rows(), 1);
      return op.forward(tape.input(x), over, rows);
    };
    CHECK_THROWS_AS(run(op.rows(sets.num_rows() - 1, 1), sets), ShapeError);
    CHECK_THROWS_AS(run(op.rows(sets.num_rows() + 1, 1), sets), ShapeError);
    if (op.fixed_width)
      CHECK_THROWS_AS(run(random_tensor({sets.num_rows(), op.row_width + 1}, Rng(1)), sets), ShapeError);
  });
}

TEST_CASE("a readout is handed empty sets or refuses them", "[walk][readout][errors]") {
  const Tensor x({2, 3});
  Tape tape;
  tape.reset();
  const auto mean = make_readout("mean", 3);
  const SetInput in{.x = tape.input(x), .sets = Segments({0, 1, 1, 2}), .empty = EmptySets::error};
  CHECK_THROWS_WITH(mean->forward(in), "mean: set 1 is empty; expected at least one row in every set");
}

#if TARN_DOUBLE
TEST_CASE("gradients of readouts agree with central differences", "[walk][readout][gradients]") {
  for_each_set_operator([](auto draw) {
    const SetOperator op = draw();
    const Segments sets = op.sets(sample_sizes);
    Tensor x = op.rows(sets.num_rows(), 10);
    // Graphs, orders and weights are held fixed: no gradient flows through their choice.
    const Tensor held = x.clone();
    Tape tape;
    Tensor cotangent;
    Var in;
    const auto forward = [&] {
      tape.reset();
      in = tape.input(x, NeedsGrad::yes);
      return op.forward(in, sets, held);
    };
    const auto loss = [&] {
      const auto y = numbers(forward().value());
      return std::inner_product(y.begin(), y.end(), cotangent.data(), 0.0);
    };
    const Var y = forward();
    cotangent = random_tensor(y.shape(), Rng(11));
    const std::pair<Var, ConstMatrixView> seed{y, cotangent.matrix()};
    tape.backward(std::span(&seed, 1));
    settle_grads(op.module->parameters());
    const auto dx = numbers(tape.grad(in));
    if (!op.cuts_gradient) check_directional_derivative(x, dx, Rng(12), loss);
    for (Parameter* p : op.module->parameters()) {
      INFO(p->name);
      check_directional_derivative(p->value, p->grad.flat(), Rng(13), loss);
    }
  });
}
#endif
