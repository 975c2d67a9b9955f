#include "tarn/core/errors.hpp"
#include "tarn/graph/norms/norm.hpp"

#include "experiments/walk.hpp"

#include <numeric>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sample_sets({0, 7, 7, 8, 20});

Size width_of(const GoldenCase& c) {
  return c.input("x").shape[-1];
}

/// With parameters and state away from their starts.
std::unique_ptr<Norm> make(const GoldenCase& c) {
  auto norm = norms().make(c.op, c.user_options());
  norm->init(Rng(5));
  std::uint64_t number = 100;
  for (const auto& [name, p] : norm->state()) {
    const Tensor draw = random_tensor(p->value.shape(), Rng(number++));
    for (Size i = 0; i < draw.size(); ++i) {
      p->value.data()[i] = p->trainable ? draw.data()[i] : std::abs(draw.data()[i]) + Real(0.1);
    }
  }
  return norm;
}

auto forward_over(Norm& norm, const Segments& sets) {
  return [&norm, sets](Tape&, std::span<const Var> in) { return norm.forward(in[0], sets); };
}

WalkResult run(Norm& norm, const Tensor& x, const Segments& sets, bool training = false) {
  return run_module(norm, std::vector{&x}, training, forward_over(norm, sets));
}

Tensor rows_in_order(const Tensor& x, std::span<const Size> order) {
  Tensor result({static_cast<Size>(order.size()), x.shape().cols()});
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::copy_n(x.matrix().row(order[i]), x.shape().cols(), result.matrix().row(static_cast<Size>(i)));
  }
  return result;
}

template <class Check>
void for_each_norm(Check check) {
  for (const GoldenCase& c : golden_cases("norm")) {
    INFO(c.where());
    check(c);
  }
}

}  // namespace

TEST_CASE("nodes of a graph and graphs of a batch may change places under a norm", "[walk][norm]") {
  for_each_norm([](const GoldenCase& c) {
    const auto norm = make(c);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(1));
    // The last graph comes first, its nodes turned about, those of the first reversed.
    std::vector<Size> order(20);
    std::iota(order.begin(), order.end(), Size{0});
    std::rotate(order.begin(), order.begin() + 8, order.end());
    std::rotate(order.begin(), order.begin() + 5, order.begin() + 12);
    std::reverse(order.begin() + 12, order.begin() + 19);
    const auto moved = run(*norm, rows_in_order(x, order), Segments({0, 12, 19, 19, 20}), c.training());
    const auto plain = run(*norm, x, sample_sets, c.training());
    Tensor y(x.shape(), plain.y);
    check_close(moved.y, rows_in_order(y, order).flat());
  });
}

TEST_CASE("a norm of graphs treats a graph alone as in a batch", "[walk][norm]") {
  for_each_norm([](const GoldenCase& c) {
    if (c.training()) return;  // the batch's own statistics
    const auto norm = make(c);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(2));
    const auto together = run(*norm, x, sample_sets).y;
    for (Size b = 0; b < sample_sets.count(); ++b) {
      const Rows rows = sample_sets.rows(b);
      std::vector<Size> order(static_cast<std::size_t>(rows.size()));
      std::iota(order.begin(), order.end(), rows.begin);
      const auto alone = run(*norm, rows_in_order(x, order), Segments::uniform(1, rows.size())).y;
      check_close(alone, std::span(together).subspan(static_cast<std::size_t>(rows.begin * width_of(c)),
                                                     alone.size()));
    }
  });
}

TEST_CASE("a norm takes no nodes, empty graphs, single nodes and constant channels", "[walk][norm]") {
  for_each_norm([](const GoldenCase& c) {
    const auto norm = make(c);
    for (const auto& [rows, sets] :
         {std::pair(Size{0}, Segments()), std::pair(Size{0}, Segments::uniform(3, 0)),
          std::pair(Size{4}, Segments::uniform(4, 1)), std::pair(Size{6}, Segments({0, 0, 6, 6}))}) {
      Tensor x = random_tensor({rows, width_of(c)}, Rng(3));
      if (rows == 6) x.fill(Real(1e4));
      const WalkResult result = run(*norm, x, sets, c.training());
      CHECK(static_cast<Size>(result.y.size()) == x.size());
      CHECK(all_finite(result.y));
      CHECK(all_finite(result.gradients));
    }
  });
}

TEST_CASE("a norm and its gradients have the same bits for 1, 2 and 7 threads", "[walk][norm][threads]") {
  for_each_norm([](const GoldenCase& c) {
    const Tensor x = random_tensor({3000, width_of(c)}, Rng(4));
    const auto with = [&](int threads) {
      const Threads limit(threads);
      const auto norm = make(c);
      return run(*norm, x, Segments({0, 1, 700, 700, 2600, 3000}), c.training());
    };
    const WalkResult one = with(1);
    for (const int threads : {2, 7}) {
      const WalkResult other = with(threads);
      CHECK(other.y == one.y);
      CHECK(other.gradients == one.gradients);
    }
  });
}

TEST_CASE("a norm with copied state gives the same bits", "[walk][norm]") {
  for_each_norm([](const GoldenCase& c) {
    const auto first = make(c);
    const auto second = norms().make(c.op, c.user_options());
    copy_state(*first, *second);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(5));
    CHECK(run(*first, x, sample_sets).y == run(*second, x, sample_sets).y);
  });
}

TEST_CASE("a relu that runs with the norm equals one after it", "[walk][norm]") {
  for_each_norm([](const GoldenCase& c) {
    const auto norm = make(c);
    const Tensor x = random_tensor({20, width_of(c)}, Rng(6));
    const auto rectified = [&](Tape&, std::span<const Var> in) {
      return norm->forward(in[0], sample_sets, Activation::relu);
    };
    const auto y = run_module(*norm, std::vector{&x}, c.training(), rectified).y;
    auto plain = run(*norm, x, sample_sets, c.training()).y;
    for (Real& v : plain) v = std::max(v, Real{0});
    CHECK(y == plain);
  });
}

TEST_CASE("a norm refuses wrong widths and sets that do not cover x", "[walk][norm][errors]") {
  for_each_norm([](const GoldenCase& c) {
    const auto norm = make(c);
    CHECK_THROWS_AS(run(*norm, random_tensor({19, width_of(c)}, Rng(1)), sample_sets), ShapeError);
    CHECK_THROWS_AS(run(*norm, random_tensor({20}, Rng(1)), sample_sets), ShapeError);
    if (c.options.find("channels") == nullptr) return;
    CHECK_THROWS_AS(run(*norm, random_tensor({20, width_of(c) + 1}, Rng(1)), sample_sets), ShapeError);
    CHECK_THROWS_AS(norms().make(c.op, Value()), ValueError);
  });
}

TEST_CASE("a norm names its width and what it got", "[norm][errors]") {
  const auto norm = make_norm("graph-norm", 4);
  CHECK_THROWS_WITH(run(*norm, Tensor({20, 3}), sample_sets),
                    "graph-norm: x is [20, 3]; expected [N, 4] (channels)");
  CHECK_THROWS_WITH(run(*norm, Tensor({19, 4}), sample_sets),
                    "graph-norm: x has 19 rows but sets cover 20; expected offsets to end at 19");
}

#if TARN_DOUBLE
TEST_CASE("gradients of norms agree with central differences", "[walk][norm][gradients]") {
  for_each_norm([](const GoldenCase& c) {
    const auto norm = make(c);
    Tensor x = random_tensor({20, width_of(c)}, Rng(2));
    check_gradients(*norm, std::vector{&x}, c.training(), forward_over(*norm, sample_sets));
    const auto rectified = [&](Tape&, std::span<const Var> in) {
      return norm->forward(in[0], sample_sets, Activation::relu);
    };
    check_gradients(*norm, std::vector{&x}, c.training(), rectified);
  });
}
#endif
