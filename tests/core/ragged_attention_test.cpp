#include "tarn/core/ops/ragged_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/tile_product.hpp"

#include "module_walk.hpp"

#include <cstring>

using namespace tarn;
using namespace tarn::test;

namespace {

/// Sizes of one attention and of its inputs.
struct Shapes {
  Segments q_sets, k_sets;
  Size heads = 2, width = 5, value_width = 3;
};

/// Sets of none, one, a few and more rows than a tile or a task holds.
const Segments ragged({0, 0, 1, 8, 150, 450});

std::vector<Shapes> all_shapes() {
  return {
      {.q_sets = ragged, .k_sets = ragged},
      {.q_sets = ragged, .k_sets = ragged, .heads = 4, .width = 16, .value_width = 16},
      {.q_sets = Segments({0, 2, 2, 5, 6, 40}), .k_sets = ragged, .heads = 1, .width = 24, .value_width = 33},
      {.q_sets = Segments::uniform(5, 1), .k_sets = ragged},
      {.q_sets = Segments::uniform(1, 4), .k_sets = ragged},                                      // seeds
      {.q_sets = ragged, .k_sets = Segments::uniform(1, 9)},                                      // latents
      {.q_sets = Segments::uniform(1, 2), .k_sets = Segments({0, 1400, 1400}), .heads = 1},       // long set
      {.q_sets = Segments({0, 1100, 1100, 2100}), .k_sets = Segments::uniform(1, 3), .heads = 1}  // many rows
  };
}

Tensor rows_of(const Segments& sets, Size width, std::uint64_t seed) {
  return random_tensor({sets.num_rows(), width}, Rng(seed));
}

RaggedAttention attention(const Shapes& s, Var q, Var k, Var v) {
  return {.q = {q},
          .k = {k},
          .v = {v},
          .q_sets = s.q_sets,
          .k_sets = s.k_sets,
          .heads = s.heads,
          .key_width = s.width,
          .value_width = s.value_width};
}

/// The plain loop in double.
std::vector<Real> plain_attention(const Shapes& s, const Tensor& q, const Tensor& k, const Tensor& v) {
  std::vector<Real> result;
  const Size sets = std::max(s.q_sets.count(), s.k_sets.count());
  for (Size b = 0; b < sets; ++b) {
    const Rows queries = s.q_sets.rows(s.q_sets.count() == 1 ? 0 : b);
    const Rows keys = s.k_sets.rows(s.k_sets.count() == 1 ? 0 : b);
    for (Size i = queries.begin; i < queries.end; ++i) {
      for (Size h = 0; h < s.heads; ++h) {
        std::vector<double> weights, sum(static_cast<std::size_t>(s.value_width), 0.0);
        double total = 0;
        for (Size j = keys.begin; j < keys.end; ++j) {
          double score = 0;
          for (Size c = h * s.width; c < (h + 1) * s.width; ++c) {
            score += static_cast<double>(q.matrix()(i, c)) * static_cast<double>(k.matrix()(j, c));
          }
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(s.width))));
          total += weights.back();
        }
        for (Size j = keys.begin; j < keys.end; ++j) {
          for (Size c = 0; c < s.value_width; ++c) {
            sum[static_cast<std::size_t>(c)] += weights[static_cast<std::size_t>(j - keys.begin)] / total *
                                                static_cast<double>(v.matrix()(j, h * s.value_width + c));
          }
        }
        for (const double value : sum) result.push_back(static_cast<Real>(value));
      }
    }
  }
  return result;
}

struct Inputs {
  Tensor q, k, v;
  explicit Inputs(const Shapes& s)
      : q(rows_of(s.q_sets, s.heads * s.width, 1)),
        k(rows_of(s.k_sets, s.heads * s.width, 2)),
        v(rows_of(s.k_sets, s.heads * s.value_width, 3)) {}
};

class NoParameters final : public Module {};

WalkResult run(const Shapes& s, const Inputs& in) {
  NoParameters none;
  return run_module(none, std::vector{&in.q, &in.k, &in.v}, true, [&](Tape&, std::span<const Var> x) {
    return ragged_attention(attention(s, x[0], x[1], x[2]));
  });
}

}  // namespace

TEST_CASE("small products equal the plain loop for every shape, and add", "[core][attention]") {
  for (const Size m : {1, 2, 3, 7, 8, 13}) {
    for (const Size n : {1, 3, 4, 9, 16, 37, 64}) {
      for (const Size k : {0, 1, 5, 33}) {
        const Tensor a = random_tensor({m, k}, Rng(1)), at = random_tensor({k, m}, Rng(2)),
                     b = random_tensor({k, n}, Rng(3));
        Tensor c({m, n + 2});
        c.fill(Real(0.5));
        const MatrixView into = c.matrix().column_block(1, n + 1);
        tile_product(as_it_lies(a.matrix()), b.matrix(), into, Write::assign);
        tile_product(transposed(at.matrix()), b.matrix(), into, Write::add);
        double worst = 0;
        for (Size i = 0; i < m; ++i) {
          for (Size j = 0; j < n; ++j) {
            double want = 0;
            for (Size p = 0; p < k; ++p) {
              want += static_cast<double>(a.matrix()(i, p) + at.matrix()(p, i)) *
                      static_cast<double>(b.matrix()(p, j));
            }
            worst = std::max(worst, std::abs(static_cast<double>(into(i, j)) - want));
          }
          CHECK(c.matrix()(i, 0) == Real(0.5));
          CHECK(c.matrix()(i, n + 1) == Real(0.5));
        }
        CHECK(worst < rounding());
      }
    }
  }
}

TEST_CASE("a row of a small product has the same bits alone and among others", "[core][attention]") {
  for (const Size cols : {1, 3, 4, 5, 8, 16, 20, 33, 40}) {
    for (const Size inner : {4, 6, 33}) {
      const Tensor a = random_tensor({14, inner}, Rng(1)), b = random_tensor({inner, cols}, Rng(2));
      Tensor all({14, cols});
      tile_product(as_it_lies(a.matrix()), b.matrix(), all.matrix(), Write::assign);
      bool same = true;
      for (Size i = 0; i < 14; ++i) {
        Tensor one({1, cols});
        tile_product(as_it_lies(a.matrix().row_block(i, i + 1)), b.matrix(), one.matrix(), Write::assign);
        same = same && std::equal(one.data(), one.data() + cols, all.matrix().row(i));
      }
      CAPTURE(cols, inner);
      CHECK(same);
    }
  }
}

TEST_CASE("attention inside sets equals the plain loop", "[core][attention]") {
  for (const Shapes& s : all_shapes()) {
    const Inputs in(s);
    CAPTURE(s.q_sets.count(), s.k_sets.count(), s.heads, s.width);
    check_close(run(s, in).y, plain_attention(s, in.q, in.k, in.v));
  }
}

TEST_CASE("attention keeps large scores and equal ones apart from overflow", "[core][attention]") {
  const Shapes s{.q_sets = ragged, .k_sets = ragged};
  Inputs in(s);
  for (Real& v : in.q.flat()) v *= 1000;
  CHECK(all_finite(run(s, in).y));
  CHECK(all_finite(run(s, in).gradients));
}

TEST_CASE("a set gives the same bits alone and in a batch", "[core][attention]") {
  for (const Shapes& s : all_shapes()) {
    const Inputs in(s);
    const std::vector<Real> together = run(s, in).y;
    const Size sets = std::max(s.q_sets.count(), s.k_sets.count());
    std::size_t at = 0;
    for (Size b = 0; b < sets; ++b) {
      const auto part = [b](const Tensor& t, const Segments& of) {
        const Rows rows = of.rows(of.count() == 1 ? 0 : b);
        Tensor result({rows.size(), t.shape().cols()});
        std::copy_n(t.matrix().row(rows.begin), result.size(), result.data());
        return result;
      };
      Shapes alone = s;
      Inputs own(s);
      own.q = part(in.q, s.q_sets);
      own.k = part(in.k, s.k_sets);
      own.v = part(in.v, s.k_sets);
      alone.q_sets = Segments::uniform(1, own.q.shape()[0]);
      alone.k_sets = Segments::uniform(1, own.k.shape()[0]);
      if (s.k_sets.count() == 1 &&
          sets > 1) {  // the keys stay shared: two sets of queries, one of them empty
        alone.q_sets = Segments({0, own.q.shape()[0], own.q.shape()[0]});
      }
      const std::vector<Real> y = run(alone, own).y;
      CHECK((y.empty() || std::memcmp(y.data(), together.data() + at, y.size() * sizeof(Real)) == 0));
      at += y.size();
    }
    CHECK(at == together.size());
  }
}

TEST_CASE("attention and its gradients have the same bits for 1, 2 and 7 threads",
          "[core][attention][threads]") {
  for (const Shapes& s : all_shapes()) {
    const Inputs in(s);
    const auto with = [&](int threads) {
      const Threads limit(threads);
      return run(s, in);
    };
    const WalkResult one = with(1);
    for (const int threads : {2, 7}) {
      const WalkResult other = with(threads);
      CHECK(other.y == one.y);
      CHECK(other.gradients == one.gradients);
    }
  }
}

TEST_CASE("queries without keys give zeros and no gradients", "[core][attention]") {
  const Shapes s{.q_sets = Segments::uniform(2, 3), .k_sets = Segments({0, 0, 2})};
  const WalkResult result = run(s, Inputs(s));
  for (std::size_t i = 0; i < 18; ++i) CHECK(result.y[i] == 0);
  for (std::size_t i = 0; i < 30; ++i) CHECK(result.gradients[i] == 0);  // of the first set's queries
  CHECK(all_finite(result.gradients));
}

TEST_CASE("queries, keys and values may be columns of one matrix", "[core][attention]") {
  const Shapes s{.q_sets = ragged, .k_sets = ragged, .heads = 2, .width = 3, .value_width = 3};
  const Inputs in(s);
  Tensor packed({ragged.num_rows(), 19});
  for (Size i = 0; i < ragged.num_rows(); ++i) {
    std::copy_n(in.q.matrix().row(i), 6, packed.matrix().row(i) + 1);
    std::copy_n(in.k.matrix().row(i), 6, packed.matrix().row(i) + 7);
    std::copy_n(in.v.matrix().row(i), 6, packed.matrix().row(i) + 13);
  }
  NoParameters none;
  const WalkResult joined = run_module(none, std::vector{&packed}, true, [&](Tape&, std::span<const Var> x) {
    RaggedAttention a = attention(s, x[0], x[0], x[0]);
    a.q.column = 1;
    a.k.column = 7;
    a.v.column = 13;
    return ragged_attention(a);
  });
  const WalkResult apart = run(s, in);
  CHECK(joined.y == apart.y);
  for (Size i = 0; i < ragged.num_rows(); ++i) {
    const auto at = static_cast<std::size_t>(19 * i);
    CHECK(joined.gradients[at] == 0);
    CHECK(joined.gradients[at + 1] == apart.gradients[static_cast<std::size_t>(6 * i)]);
  }
}

TEST_CASE("dropout on attention keeps its share, the mean, and follows its seed", "[core][attention]") {
  const Shapes s{.q_sets = Segments::uniform(2, 8), .k_sets = Segments::uniform(2, 400), .heads = 1};
  Inputs in(s);
  for (Real& v : in.q.flat()) v = 0;  // equal weights
  for (Real& v : in.v.flat()) v = 1;
  const auto with = [&](std::uint64_t seed, bool training) {
    Tape tape;
    tape.reset({.training = training, .rng = Rng(seed)});
    RaggedAttention a = attention(s, tape.input(in.q), tape.input(in.k), tape.input(in.v));
    a.dropout = 0.25;
    return numbers(ragged_attention(a).value());
  };
  CHECK(with(1, true) == with(1, true));
  CHECK(with(1, true) != with(2, true));
  for (const Real v : with(1, false)) CHECK(v == Approx(1));
  double kept = 0, weights = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto y = with(seed, true);
    for (std::size_t i = 0; i < y.size(); i += 3) {
      kept += static_cast<double>(y[i]) * 0.75 * 400;
      weights += 400;
    }
  }
  CHECK(std::abs(kept / weights - 0.75) < 4 * std::sqrt(0.75 * 0.25 / weights));
}

TEST_CASE("attention refuses columns, rows and numbers of sets that do not fit",
          "[core][attention][errors]") {
  const Shapes s{.q_sets = ragged, .k_sets = ragged};
  const auto refused = [&](const Shapes& as, Size q_columns) {
    Tape tape;
    tape.reset();
    const Tensor q({450, q_columns}), k({450, 10}), v({450, 6});
    return ragged_attention(attention(as, tape.input(q), tape.input(k), tape.input(v)));
  };
  CHECK_THROWS_WITH(refused(s, 9),
                    "ragged_attention: q is [450, 9]; expected at least 10 columns (heads * width)");
  Shapes other = s;
  other.k_sets = Segments({0, 1, 450});
  CHECK_THROWS_WITH(
      refused(other, 10),
      "ragged_attention: 5 sets of queries, 2 of keys; expected equally many, or one for all on one side");
  other.k_sets = Segments::uniform(5, 1);
  CHECK_THROWS_WITH(refused(other, 10),
                    "ragged_attention: k: x has 450 rows but sets cover 5; expected offsets to end at 450");
  other.heads = 0;
  CHECK_THROWS_AS(refused(other, 10), ShapeError);
}

#if TARN_DOUBLE
TEST_CASE("gradients of attention agree with central differences", "[core][attention][gradients]") {
  NoParameters none;
  for (const double dropout : {0.0, 0.3}) {
    for (const Shapes& s : all_shapes()) {
      CAPTURE(s.q_sets.count(), s.k_sets.count(), s.heads, s.width, dropout);
      Inputs in(s);
      check_gradients(none, std::vector{&in.q, &in.k, &in.v}, true, [&](Tape&, std::span<const Var> x) {
        RaggedAttention a = attention(s, x[0], x[1], x[2]);
        a.dropout = dropout;
        return ragged_attention(a);
      });
    }
  }
}
#endif
