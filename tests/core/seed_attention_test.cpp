#include "tarn/core/ops/seed_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/multi_head_attention.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/scaling.hpp"

#include "core/op_fixture.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

/// Attention of q to sets of x, inputs q, x, key map, value map, bias of the values.
Operation seeds_over(const Segments& sets, Size heads) {
  return [sets, heads](Tape&, const Inputs& in) {
    return seed_attention({.q = in[0],
                           .x = in[1],
                           .sets = sets,
                           .key_map = in[2],
                           .value_map = in[3],
                           .value_bias = in[4],
                           .heads = heads});
  };
}

std::vector<Tensor> inputs_for(const Segments& sets, Size seeds, Size heads, Size columns) {
  const Size width = 3 * heads, values = 2 * heads;
  return tensors(random_tensor({seeds, width}, 1), random_tensor({sets.num_rows(), columns}, 2),
                 random_tensor({width, columns}, 3), random_tensor({values, columns}, 4),
                 random_tensor({values}, 5));
}

/// The same as plain loops.
std::vector<double> plain(const std::vector<Tensor>& in, const Segments& sets, Size heads) {
  const ConstMatrixView q = in[0].matrix(), x = in[1].matrix(), k = in[2].matrix(), v = in[3].matrix();
  const auto product = [&](ConstMatrixView map, Size row, Size i) {
    double sum = 0;
    for (Size c = 0; c < x.cols; ++c) sum += static_cast<double>(map(row, c)) * static_cast<double>(x(i, c));
    return sum;
  };
  const Size width = k.rows / heads, values = v.rows / heads;
  std::vector<double> y;
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size s = 0; s < q.rows; ++s) {
      for (Size h = 0; h < heads; ++h) {
        std::vector<double> weights;
        double highest = -1e300, sum = 0;
        for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i) {
          double score = 0;
          for (Size j = h * width; j < (h + 1) * width; ++j)
            score += static_cast<double>(q(s, j)) * product(k, j, i);
          weights.push_back(score / std::sqrt(static_cast<double>(width)));
          highest = std::max(highest, weights.back());
        }
        for (double& w : weights) sum += w = std::exp(w - highest);
        for (Size j = h * values; j < (h + 1) * values; ++j) {
          double total = 0;
          for (std::size_t i = 0; i < weights.size(); ++i)
            total += weights[i] / sum *
                     (product(v, j, sets.rows(b).begin + static_cast<Size>(i)) +
                      static_cast<double>(in[4].data()[j]));
          y.push_back(total);
        }
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("seeds attend to sets as plain loops do, with keys and without", "[core][attention]") {
  const Segments sets({0, 0, 5, 6, 6, 40});
  for (const Size columns : {Size{4}, Size{20}}) {  // 6 queries: fewer than 20 columns, more than 4
    const auto in = inputs_for(sets, 3, 2, columns);
    check_near(evaluate(in, seeds_over(sets, 2)).y, plain(in, sets, 2), rounding(1e-4, 1e-11));
  }
}

TEST_CASE("gradients of seeds that attend agree with central differences", "[core][attention][gradients]") {
  const Segments sets({0, 0, 5, 6, 6, 20});
  for (const Size columns : {Size{4}, Size{20}})
    check_gradients(inputs_for(sets, 3, 2, columns), seeds_over(sets, 2));
}

TEST_CASE("seeds that attend keep their bits for any number of threads and any company",
          "[core][attention][threads]") {
  for (const Size columns : {Size{4}, Size{20}}) {
    const Segments sets = awkward_sets();
    const auto in = inputs_for(sets, 3, 2, columns);
    const auto run = [&](int threads) {
      const Threads limit(threads);
      return evaluate(in, seeds_over(sets, 2));
    };
    const Evaluated one = run(1);
    CHECK(run(2) == one);
    CHECK(run(7) == one);
    for (const Size b : {Size{3}, Size{5}}) {
      const Rows rows = sets.rows(b);
      auto own = inputs_for(sets, 3, 2, columns);
      Tensor x({rows.size(), columns});
      std::copy_n(in[1].matrix().row(rows.begin), x.size(), x.data());
      own[1] = std::move(x);
      const auto alone = evaluate(own, seeds_over(Segments::uniform(1, rows.size()), 2)).y;
      const auto size = static_cast<std::ptrdiff_t>(alone.size());
      const auto first = one.y.begin() + b * size;
      CHECK(alone == std::vector<double>(first, first + size));
    }
  }
}

TEST_CASE("multi-head attention pools as it attends", "[core][attention]") {
  const Segments sets({0, 0, 5, 6, 6, 40});
  for (const Size heads : {Size{2}, Size{4}}) {  // 3 seeds: 6 queries of width 8, folded; 12, with keys
    MultiHeadAttention attention(8, heads);
    attention.init(Rng(1));
    for (Parameter* p : attention.parameters()) p->value = random_tensor(p->value.shape(), 7);
    const auto in = tensors(random_tensor({3, 8}, 1), random_tensor({40, 8}, 2));
    const auto pooled =
        evaluate(in, [&](Tape&, const Inputs& v) { return attention.pool(v[0], v[1], sets); });
    const auto attended = evaluate(in, [&](Tape&, const Inputs& v) {
      return attention.forward(v[0], Segments::uniform(1, 3), v[1], sets);
    });
    check_near(pooled.y, attended.y, rounding(1e-4, 1e-11));
    for (std::size_t k = 0; k < 2; ++k)
      check_near(pooled.gradients[k], attended.gradients[k], rounding(1e-3, 1e-10));
    const auto apart = evaluate(in, [&](Tape&, const Inputs& v) {
      return attention.forward(v[0], Segments::uniform(1, 3), v[1], v[1], sets);
    });
    check_near(apart.y, attended.y, rounding(1e-4, 1e-11));
  }
}

TEST_CASE("rows, columns and powers are scaled as plain loops do", "[core][scaling]") {
  const Tensor x({2, 3}, std::array<Real, 6>{1, 2, 3, 4, 5, 6}), f({3}, std::array<Real, 3>{10, 0, -1});
  Tape tape;
  tape.reset();
  CHECK(doubles(scale_columns(tape.input(x), tape.input(f)).value()) ==
        std::vector<double>{10, 0, -3, 40, 0, -6});
  CHECK(doubles(scale_rows(tape.input(x), std::array{2.0, -1.0}).value()) ==
        std::vector<double>{2, 4, 6, -4, -5, -6});
  check_near(doubles(power(tape.input(x), 1.5).value()),
             {1, std::sqrt(8), std::sqrt(27), 8, std::sqrt(125), std::sqrt(216)}, rounding(1e-5, 1e-13));
  CHECK_THROWS_WITH(scale_columns(tape.input(x), tape.input(Tensor({2}))),
                    "scale_columns: x has width 3, factors have shape [2]; expected [3]");
}

TEST_CASE("the power of zero is zero without gradient", "[core][scaling]") {
  const Tensor zero({1, 2}, std::array<Real, 2>{0, 4});
  const Evaluated half = evaluate(tensors(zero), [](Tape&, const Inputs& in) { return power(in[0], 0.5); });
  CHECK(half.y[0] == 0);
  CHECK(half.gradients[0][0] == 0);
}

TEST_CASE("gradients of scaled rows, columns and powers agree with central differences",
          "[core][scaling][gradients]") {
  Tensor x = random_tensor({7, 3}, 1);
  for (Real& v : x.flat()) v = std::abs(v) + Real(0.1);
  const std::array<double, 7> factors{1, 2, 0, -1, 3, 0.5, 1};
  check_gradients(tensors(x, random_tensor({3}, 2)), [&](Tape&, const Inputs& in) {
    return power(scale_columns(in[0], multiply_elements(in[1], in[1])), 1.7);
  });
  check_gradients(tensors(x), [&](Tape&, const Inputs& in) { return scale_rows(in[0], factors); });
}
