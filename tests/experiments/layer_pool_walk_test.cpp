#include "tarn/core/errors.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include "experiments/walk.hpp"
#include <fmt/format.h>

#include <numeric>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sample_sets({0, 7, 7, 8, 20});

/// Widths of the case's history.
std::vector<Size> widths_of(const GoldenCase& c) {
  if (c.inputs.contains("history")) {
    const Shape& shape = c.input("history").shape;
    return std::vector<Size>(static_cast<std::size_t>(shape[1]), shape[2]);
  }
  std::vector<Size> widths;
  for (Size l = 0; c.inputs.contains(fmt::format("layer.{}", l)); ++l) {
    widths.push_back(c.input(fmt::format("layer.{}", l)).shape[-1]);
  }
  return widths;
}

std::vector<Tensor> random_history(const GoldenCase& c, Size nodes, std::uint64_t seed) {
  std::vector<Tensor> history;
  for (const Size width : widths_of(c))
    history.push_back(random_tensor({nodes, width}, Rng(seed, history.size())));
  return history;
}

template <class T>
std::vector<T*> pointers(
    std::conditional_t<std::is_const_v<T>, const std::vector<Tensor>, std::vector<Tensor>>& history) {
  std::vector<T*> result;
  for (T& t : history) result.push_back(&t);
  return result;
}

std::unique_ptr<LayerPool> make(const GoldenCase& c) {
  auto pool = layer_pools().make(c.op, c.user_options());
  pool->init(Rng(5));
  for (Parameter* p : pool->parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
  return pool;
}

auto forward_over(LayerPool& pool, const Segments& sets) {
  return [&pool, sets](Tape&, std::span<const Var> layers) {
    return pool.forward({.layers = layers, .sets = sets}).y;
  };
}

WalkResult run(LayerPool& pool, const std::vector<Tensor>& history, const Segments& sets,
               bool training = false) {
  return run_module(pool, pointers<const Tensor>(history), training, forward_over(pool, sets));
}

std::vector<Tensor> rows_in_order(const std::vector<Tensor>& history, std::span<const Size> order) {
  std::vector<Tensor> result;
  for (const Tensor& x : history) {
    Tensor moved({static_cast<Size>(order.size()), x.shape().cols()});
    for (std::size_t i = 0; i < order.size(); ++i) {
      std::copy_n(x.matrix().row(order[i]), x.shape().cols(), moved.matrix().row(static_cast<Size>(i)));
    }
    result.push_back(std::move(moved));
  }
  return result;
}

/// Rows of y that belong to a graph: its own, or those of its nodes.
std::span<const Real> part_of(const LayerPool& pool, const std::vector<Real>& y, const Segments& sets,
                              Size b) {
  const Rows rows = pool.level() == PooledLevel::graphs ? Rows{b, b + 1} : sets.rows(b);
  return std::span(y).subspan(static_cast<std::size_t>(rows.begin * pool.out_dim()),
                              static_cast<std::size_t>(rows.size() * pool.out_dim()));
}

template <class Check>
void for_each_pool(Check check) {
  for (const GoldenCase& c : golden_cases("layer pool")) {
    INFO(c.where());
    check(c);
  }
}

}  // namespace

TEST_CASE("nodes of a graph may change places under a layer pool", "[walk][layer-pool]") {
  for_each_pool([](const GoldenCase& c) {
    const auto pool = make(c);
    const auto history = random_history(c, 20, 1);
    std::vector<Size> order(20);
    std::iota(order.begin(), order.end(), Size{0});
    std::reverse(order.begin(), order.begin() + 7);
    std::rotate(order.begin() + 8, order.begin() + 13, order.end());
    auto plain = run(*pool, history, sample_sets).y;
    const auto moved = run(*pool, rows_in_order(history, order), sample_sets).y;
    if (pool->level() == PooledLevel::nodes) {
      std::vector<Tensor> y;
      y.emplace_back(Shape{20, pool->out_dim()}, plain);
      const Tensor expected = std::move(rows_in_order(y, order)[0]);
      plain.assign(expected.flat().begin(), expected.flat().end());
    }
    check_close(moved, plain);
  });
}

TEST_CASE("a layer pool treats a graph alone as in a batch, and graphs may change places",
          "[walk][layer-pool]") {
  for_each_pool([](const GoldenCase& c) {
    const auto pool = make(c);
    const auto history = random_history(c, 20, 2);
    const auto together = run(*pool, history, sample_sets).y;
    for (Size b = 0; b < sample_sets.count(); ++b) {
      std::vector<Size> order(static_cast<std::size_t>(sample_sets.size(b)));
      std::iota(order.begin(), order.end(), sample_sets.rows(b).begin);
      const auto alone =
          run(*pool, rows_in_order(history, order), Segments::uniform(1, sample_sets.size(b))).y;
      check_close(alone, part_of(*pool, together, sample_sets, b));
    }
    std::vector<Size> order(20);
    std::iota(order.begin(), order.end(), Size{0});
    std::rotate(order.begin(), order.begin() + 8, order.end());
    const Segments turned({0, 12, 19, 19, 20});
    const auto swapped = run(*pool, rows_in_order(history, order), turned).y;
    check_close(part_of(*pool, swapped, turned, 0), part_of(*pool, together, sample_sets, 3));
    check_close(part_of(*pool, swapped, turned, 1), part_of(*pool, together, sample_sets, 0));
  });
}

TEST_CASE("a layer pool takes no nodes, empty graphs and single nodes", "[walk][layer-pool]") {
  for_each_pool([](const GoldenCase& c) {
    const auto pool = make(c);
    for (const auto& [rows, sets] :
         {std::pair(Size{0}, Segments()), std::pair(Size{0}, Segments::uniform(3, 0)),
          std::pair(Size{4}, Segments::uniform(4, 1)), std::pair(Size{6}, Segments({0, 0, 6, 6}))}) {
      const WalkResult result = run(*pool, random_history(c, rows, 3), sets, true);
      const Size height = pool->level() == PooledLevel::graphs ? sets.count() : rows;
      CHECK(static_cast<Size>(result.y.size()) == height * pool->out_dim());
      CHECK(all_finite(result.y));
      CHECK(all_finite(result.gradients));
    }
  });
}

TEST_CASE("a layer pool and its gradients have the same bits for 1, 2 and 7 threads",
          "[walk][layer-pool][threads]") {
  for_each_pool([](const GoldenCase& c) {
    const auto history = random_history(c, 3000, 4);
    const auto with = [&](int threads) {
      const Threads limit(threads);
      const auto pool = make(c);
      return run(*pool, history, Segments({0, 1, 700, 700, 2600, 3000}), true);
    };
    const WalkResult one = with(1);
    for (const int threads : {2, 7}) {
      const WalkResult other = with(threads);
      CHECK(other.y == one.y);
      CHECK(other.gradients == one.gradients);
    }
  });
}

TEST_CASE("a layer pool with copied state gives the same bits", "[walk][layer-pool]") {
  for_each_pool([](const GoldenCase& c) {
    const auto first = make(c);
    const auto second = layer_pools().make(c.op, c.user_options());
    copy_state(*first, *second);
    const auto history = random_history(c, 20, 5);
    CHECK(run(*first, history, sample_sets).y == run(*second, history, sample_sets).y);
  });
}

TEST_CASE("a layer pool gives the same from a history in one tensor as from its layers",
          "[walk][layer-pool]") {
  for_each_pool([](const GoldenCase& c) {
    if (!c.inputs.contains("history")) return;
    const auto pool = make(c);
    const auto history = random_history(c, 20, 6);
    const Size layers = static_cast<Size>(history.size()), width = history[0].shape().cols();
    Tensor joined({20, layers, width});
    for (Size v = 0; v < 20; ++v) {
      for (Size l = 0; l < layers; ++l) {
        std::copy_n(history[static_cast<std::size_t>(l)].matrix().row(v), width,
                    joined.data() + (v * layers + l) * width);
      }
    }
    const auto from_one =
        run_module(*pool, std::vector<const Tensor*>{&joined}, false, [&](Tape&, std::span<const Var> in) {
          const auto split = history_layers(in[0]);
          return pool->forward({.layers = split, .sets = sample_sets}).y;
        });
    CHECK(from_one.y == run(*pool, history, sample_sets).y);
  });
}

TEST_CASE("a layer pool refuses other numbers of layers, widths and rows", "[walk][layer-pool][errors]") {
  for_each_pool([](const GoldenCase& c) {
    const auto pool = make(c);
    auto history = random_history(c, 20, 7);
    CHECK_THROWS_AS(run(*pool, random_history(c, 19, 7), sample_sets), ShapeError);
    const Tensor wide = random_tensor({20, history.back().shape().cols() + 1}, Rng(1));
    history.back() = wide.clone();
    CHECK_THROWS_AS(run(*pool, history, sample_sets), ShapeError);
    history.push_back(wide.clone());
    CHECK_THROWS_AS(run(*pool, history, sample_sets), ShapeError);
    Value options = c.user_options();
    options.set("layers", 0);
    CHECK_THROWS_AS(layer_pools().make(c.op, options), ConfigError);
    options.set("layers", static_cast<Size>(widths_of(c).size()) + 1);
    options.set("in_channels", Value(Value::List{3, 4}));
    CHECK_THROWS_AS(layer_pools().make(c.op, options), ConfigError);
  });
}

#if TARN_DOUBLE
TEST_CASE("gradients of layer pools agree with central differences", "[walk][layer-pool][gradients]") {
  for_each_pool([](const GoldenCase& c) {
    const auto pool = make(c);
    auto history = random_history(c, 20, 8);
    check_gradients(*pool, pointers<Tensor>(history), false, forward_over(*pool, sample_sets));
  });
}
#endif
