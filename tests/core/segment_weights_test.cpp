#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment_division.hpp"
#include "tarn/core/ops/segment_entmax.hpp"
#include "tarn/core/ops/segment_sigmoid.hpp"
#include "tarn/core/ops/segment_softmax.hpp"

#include "core/op_fixture.hpp"

#include <algorithm>
#include <limits>
#include <string>

using namespace tarn;
using namespace tarn::test;

namespace {

constexpr Real left_out = -std::numeric_limits<Real>::infinity();
constexpr Size usual_columns[] = {1, 2, 3, 12, 64, 70};

/// An operation on scores, by what it is called in messages.
struct Weighing {
  std::string name;
  std::function<Var(Var, const Segments&)> run;
  bool shares = true;  ///< the weights of a set sum to 1
};

std::vector<Weighing> softmaxes(double temperature) {
  std::vector<Weighing> all;
  for (const auto algorithm :
       {SoftmaxAlgorithm::automatic, SoftmaxAlgorithm::three_pass, SoftmaxAlgorithm::three_pass_recompute,
        SoftmaxAlgorithm::two_pass, SoftmaxAlgorithm::online}) {
    all.push_back({std::string(enum_names(algorithm)[static_cast<std::size_t>(algorithm)]),
                   [=](Var s, const Segments& sets) {
                     return segment_softmax(s, sets, {.temperature = temperature, .algorithm = algorithm});
                   }});
  }
  return all;
}

std::vector<Weighing> all_weighings() {
  std::vector<Weighing> all = softmaxes(0.7);
  for (const auto map : {ScoreMap::relu, ScoreMap::softplus, ScoreMap::exp, ScoreMap::sigmoid, ScoreMap::elu1,
                         ScoreMap::square, ScoreMap::identity}) {
    all.push_back({"division " + std::string(enum_names(map)[static_cast<std::size_t>(map)]),
                   [=](Var s, const Segments& sets) {
                     return segment_division(s, sets, {.temperature = 1.3, .activation = map});
                   },
                   map != ScoreMap::relu && map != ScoreMap::identity});
  }
  for (const auto norm : {LengthNorm::none, LengthNorm::sqrt_length, LengthNorm::length}) {
    all.push_back({"sigmoid",
                   [=](Var s, const Segments& sets) {
                     return segment_sigmoid(s, sets, {.temperature = 0.8, .length_norm = norm});
                   },
                   false});
  }
  all.push_back({"sigmoid, bias",
                 [](Var s, const Segments& sets) { return segment_sigmoid(s, sets, {.bias = -1.5}); },
                 false});
  for (const double alpha : {1.0, 1.25, 1.5, 2.0, 3.0}) {
    all.push_back({"entmax " + std::to_string(alpha), [=](Var s, const Segments& sets) {
                     return segment_entmax(s, sets, {.temperature = 1.2, .alpha = alpha});
                   }});
  }
  all.push_back({"gumbel", [](Var s, const Segments& sets) {
                   return segment_gumbel_softmax(s, sets, {}, {.temperature = 0.7});
                 }});
  return all;
}

Operation over(const Weighing& w, const Segments& sets) {
  return [run = w.run, sets](Tape&, const Inputs& in) { return run(in[0], sets); };
}

template <class Check>
void for_each_weighing(Check check) {
  for (const Weighing& w : all_weighings()) {
    INFO(w.name);
    check(w);
  }
}

/// The softmax as its formula says, sums in extended precision.
std::vector<double> plain_softmax(const Tensor& s, const Segments& sets, double temperature) {
  const Size cols = s.shape().cols();
  std::vector<double> w(static_cast<std::size_t>(s.size()));
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    for (Size j = 0; j < cols; ++j) {
      double highest = -1e300;
      long double sum = 0;
      const auto at = [&](Size i) { return static_cast<double>(s.matrix()(i, j)) / temperature; };
      for (Size i = rows.begin; i < rows.end; ++i) highest = std::max(highest, at(i));
      for (Size i = rows.begin; i < rows.end; ++i) sum += std::exp(at(i) - highest);
      for (Size i = rows.begin; i < rows.end; ++i)
        w[static_cast<std::size_t>(i * cols + j)] = static_cast<double>(std::exp(at(i) - highest) / sum);
    }
  }
  return w;
}

Tensor scaled_scores(const Shape& shape, double factor, std::uint64_t seed) {
  Tensor s = random_tensor(shape, seed);
  for (Real& v : s.flat()) v *= static_cast<Real>(factor);
  return s;
}

/// The largest difference of two lists of weights, relative to the largest weight of set and column.
double worst_share(const std::vector<double>& got, const std::vector<double>& want, const Segments& sets,
                   Size cols) {
  double worst = 0;
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size j = 0; j < cols; ++j) {
      double largest = 0, error = 0;
      for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i) {
        const auto k = static_cast<std::size_t>(i * cols + j);
        largest = std::max(largest, want[k]);
        const double here = std::abs(got[k] - want[k]);
        if (!(here <= error)) error = here;
      }
      if (sets.size(b) > 0 && !(error / largest <= worst)) worst = error / largest;
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("all algorithms of the softmax agree with its formula and with each other", "[ops][weights]") {
  for (const Size cols : usual_columns) {
    for (const double factor : {1.0, 60.0, 3000.0, 1e6}) {
      CAPTURE(cols, factor);
      const Segments sets = awkward_sets();
      const Tensor s = scaled_scores({sets.num_rows(), cols}, factor, 3);
      const std::vector<Weighing> algorithms = softmaxes(1);
      const auto first = evaluate(tensors(s), over(algorithms[0], sets)).y;
      CHECK(worst_share(first, plain_softmax(s, sets, 1), sets, cols) < rounding(1e-6, 1e-14));
      for (const Weighing& w : algorithms) {
        INFO(w.name);
        const auto y = evaluate(tensors(s), over(w, sets)).y;
        CHECK(worst_share(y, first, sets, cols) < rounding(1e-6, 1e-14));
      }
    }
  }
}

TEST_CASE("a long row has the same softmax by all algorithms", "[ops][weights]") {
  const Segments sets({0, 400000});
  const Tensor s = scaled_scores({400000, 1}, 3, 5);
  const auto want = plain_softmax(s, sets, 0.5);
  for (const Weighing& w : softmaxes(0.5)) {
    INFO(w.name);
    CHECK(worst_share(evaluate(tensors(s), over(w, sets)).y, want, sets, 1) < rounding(1e-6, 1e-14));
  }
}

TEST_CASE("gradients of weights agree with central differences", "[ops][weights][gradients]") {
  for_each_weighing([](const Weighing& w) {
    for (const Size cols : {Size{1}, Size{3}, Size{70}}) {
      CAPTURE(cols);
      const Segments sets({0, 0, 1, 4, 4, 41, 60});
      check_gradients(tensors(random_tensor({60, cols}, 4)), over(w, sets));
    }
  });
}

TEST_CASE("weights and their gradients have the same bits for any number of threads",
          "[ops][weights][threads]") {
  for_each_weighing([](const Weighing& w) {
    const Segments sets = awkward_sets();
    check_threads(tensors(random_tensor({sets.num_rows(), 3}, 6)), over(w, sets));
  });
}

TEST_CASE("a set has the same weights alone as in a batch, bit for bit", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    for (const Size cols : usual_columns) {
      const Segments sets = awkward_sets();
      const Tensor s = random_tensor({sets.num_rows(), cols}, 7);
      const auto together = evaluate(tensors(s), over(w, sets)).y;
      for (Size b = 0; b < sets.count(); ++b) {
        const Rows rows = sets.rows(b);
        const auto alone = evaluate(tensors(rows_of(s, rows)), over(w, Segments::uniform(1, rows.size()))).y;
        CHECK(std::equal(alone.begin(), alone.end(), together.begin() + rows.begin * cols));
      }
    }
  });
}

TEST_CASE("a score of minus infinity is left out as if its row were not there", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    for (const Size cols : {Size{1}, Size{5}}) {
      const Tensor s = random_tensor({40, cols}, 8);
      const Segments few({0, 10, 40}), many({0, 11, 44});
      Tensor with({44, cols});
      std::vector<bool> is_out(44, false);
      for (const std::size_t i : {0, 20, 30, 43}) is_out[i] = true;
      Size from = 0;
      for (Size i = 0; i < 44; ++i) {
        const bool out = is_out[static_cast<std::size_t>(i)];
        for (Size j = 0; j < cols; ++j) with.matrix()(i, j) = out ? left_out : s.matrix()(from, j);
        if (!out) ++from;
      }
      const auto plain = evaluate(tensors(s), over(w, few)).y, y = evaluate(tensors(with), over(w, many)).y;
      from = 0;
      for (Size i = 0; i < 44; ++i) {
        const bool out = is_out[static_cast<std::size_t>(i)];
        for (Size j = 0; j < cols; ++j) {
          const double got = y[static_cast<std::size_t>(i * cols + j)];
          if (out) {
            CHECK(got == 0);
          } else {
            CHECK(got == Approx(plain[static_cast<std::size_t>(from * cols + j)]).epsilon(1e-5));
          }
        }
        if (!out) ++from;
      }
      const auto gradient = evaluate(tensors(with), over(w, many)).gradients[0];
      for (std::size_t k = 0; k < gradient.size(); ++k) {
        CHECK(std::isfinite(gradient[k]));
        if (is_out[k / static_cast<std::size_t>(cols)]) CHECK(gradient[k] == 0);
      }
    }
  });
}

TEST_CASE("a set and column with nothing but minus infinity has zeros, also backward", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    Tensor s = random_tensor({300, 3}, 9);
    for (Size i = 5; i < 290; ++i) s.matrix()(i, 1) = left_out;
    const Evaluated e = evaluate(tensors(s), over(w, Segments({0, 5, 6, 290, 300})));
    for (Size i = 0; i < 300; ++i) {
      for (Size j = 0; j < 3; ++j) {
        const auto k = static_cast<std::size_t>(i * 3 + j);
        CHECK(std::isfinite(e.y[k]));
        CHECK(std::isfinite(e.gradients[0][k]));
        if (j != 1 || i < 5 || i >= 290) continue;
        CHECK(e.y[k] == 0);
        CHECK(e.gradients[0][k] == 0);
      }
    }
  });
}

TEST_CASE("weights of a set sum to one, and the weight of a row alone is exactly one", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    if (!w.shares) return;
    const Segments sets = awkward_sets();
    for (const double factor : {1.0, 1e4}) {
      const auto y = evaluate(tensors(scaled_scores({sets.num_rows(), 1}, factor, 10)), over(w, sets)).y;
      for (Size b = 0; b < sets.count(); ++b) {
        if (sets.size(b) == 0) continue;
        const double sum = std::accumulate(y.begin() + sets.rows(b).begin, y.begin() + sets.rows(b).end, 0.0);
        CHECK(sum == Approx(1).epsilon(1e-5));
        if (sets.size(b) == 1) CHECK(sum == 1);
      }
    }
  });
}

TEST_CASE("a NaN stays in its set and column, and finite scores of any size give no NaN", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    const Segments sets({0, 8, 200, 260});
    const Tensor clean = scaled_scores({260, 2}, 1e3, 11);
    Tensor s = clean.clone();
    s.matrix()(30, 1) = std::numeric_limits<Real>::quiet_NaN();
    const auto with = evaluate(tensors(s), over(w, sets)).y,
               without = evaluate(tensors(clean), over(w, sets)).y;
    CHECK(std::isnan(with[61]));
    for (std::size_t k = 0; k < with.size(); ++k) {
      if (k < 16 || k >= 400) CHECK(with[k] == without[k]);
      // Another algorithm may take over for the whole set.
      if (k % 2 == 0) CHECK(with[k] == Approx(without[k]).margin(rounding(1e-6, 1e-14)));
    }
    Tensor huge = random_tensor({260, 2}, 12);
    for (Real& v : huge.flat()) v *= std::numeric_limits<Real>::max() / 8;
    const Evaluated e = evaluate(tensors(huge), over(w, sets));
    for (const double v : e.y) CHECK_FALSE(std::isnan(v));
    for (const double v : e.gradients[0]) CHECK_FALSE(std::isnan(v));
  });
}

TEST_CASE("weights take no rows, no sets and scores with gaps between their rows", "[ops][weights]") {
  for_each_weighing([](const Weighing& w) {
    CHECK(evaluate(tensors(Tensor({0, 2})), over(w, Segments::uniform(2, 0))).y.empty());
    CHECK(evaluate(tensors(Tensor({0, 2})), over(w, Segments())).y.empty());
    const Tensor wide = random_tensor({20, 5}, 13);
    const ConstMatrixView part = wide.matrix().column_block(1, 4);
    Tensor dense({20, 3});
    for (Size i = 0; i < 20; ++i) std::copy_n(part.row(i), 3, dense.matrix().row(i));
    Tape tape;
    tape.reset();
    const Segments sets({0, 7, 20});
    CHECK(doubles(w.run(tape.input(part, {20, 3}), sets).value()) ==
          evaluate(tensors(dense), over(w, sets)).y);
  });
}

TEST_CASE("weights refuse sets that do not cover the scores", "[ops][weights][errors]") {
  for_each_weighing([](const Weighing& w) {
    CHECK_THROWS_AS(evaluate(tensors(Tensor({5, 2})), over(w, Segments({0, 4}))), ShapeError);
  });
  CHECK_THROWS_WITH(evaluate(tensors(Tensor({5, 2})), over(softmaxes(1)[0], Segments({0, 4}))),
                    "segment_softmax: x has 5 rows but sets cover 4; expected offsets to end at 5");
}

TEST_CASE("a division by a sum of at most eps gives zeros, also backward", "[ops][weights]") {
  Tensor s({4, 1});
  const Real numbers[] = {-1, -2, -3, 2};
  std::copy_n(numbers, 4, s.data());
  const Operation relu = [](Tape&, const Inputs& in) {
    return segment_division(in[0], Segments({0, 3, 4}), {.activation = ScoreMap::relu});
  };
  const Evaluated e = evaluate(tensors(s), relu);
  CHECK(e.y == std::vector<double>{0, 0, 0, 1});
  CHECK(e.gradients[0] == std::vector<double>{0, 0, 0, 0});
  const Operation wide = [](Tape&, const Inputs& in) {
    return segment_division(in[0], Segments({0, 3, 4}), {.activation = ScoreMap::square, .eps = 5});
  };
  const Evaluated small = evaluate(tensors(s), wide);
  CHECK(small.y[3] == 0);
  CHECK(small.y[0] == Approx(1.0 / 14));
}

TEST_CASE("sparse weights are exactly zero off the support, ties included", "[ops][weights]") {
  Tensor s({3, 1});
  const Real numbers[] = {2, 1, 1};
  std::copy_n(numbers, 3, s.data());
  const Operation sparsemax = [](Tape&, const Inputs& in) {
    return segment_entmax(in[0], Segments({0, 3}), {.alpha = 2});
  };
  const Evaluated e = evaluate(tensors(s), sparsemax);
  CHECK(e.y == std::vector<double>{1, 0, 0});
  CHECK(e.gradients[0] == std::vector<double>{0, 0, 0});
}

TEST_CASE("entmax by halving comes to what sorting comes to", "[ops][weights]") {
  const Segments sets = awkward_sets();
  const Tensor s = random_tensor({sets.num_rows(), 2}, 14);
  const auto at = [&](double alpha) {
    return evaluate(tensors(s),
                    [=](Tape&, const Inputs& in) { return segment_entmax(in[0], sets, {.alpha = alpha}); })
        .y;
  };
  const double near = rounding(1e-6, 1e-12);
  check_near(at(1.5 + near), at(1.5), rounding(1e-4, 1e-10));
  check_near(at(2 + near), at(2), rounding(1e-4, 1e-10));
  check_near(at(1.001), at(1), 1e-2);
}

TEST_CASE("Gumbel noise is drawn in training alone, one draw for each place and pass", "[ops][weights]") {
  const Tensor s = random_tensor({400, 2}, 15);
  const Segments sets({0, 100, 400});
  const auto run = [&](const Tensor& scores, const Segments& of, Pass pass, Choice choice = Choice::soft) {
    return evaluate(
        tensors(scores),
        [&](Tape&, const Inputs& in) { return segment_gumbel_softmax(in[0], of, {}, {.choice = choice}); },
        pass);
  };
  const Pass one{.training = true, .rng = Rng(1)}, other{.training = true, .rng = Rng(2)};
  const auto drawn = run(s, sets, one).y;
  CHECK(drawn == run(s, sets, one).y);
  CHECK(drawn != run(s, sets, other).y);
  CHECK(run(s, sets, {}).y != drawn);
  check_near(run(s, sets, {}).y, plain_softmax(s, sets, 1), 1e-5);
  // Rows behind a set do not change its draws.
  const auto first = run(rows_of(s, {0, 100}), Segments({0, 100}), one).y;
  CHECK(std::equal(first.begin(), first.end(), drawn.begin()));
  const Evaluated hard = run(s, sets, one, Choice::hard), soft = run(s, sets, one);
  CHECK(hard.gradients == soft.gradients);
  for (Size b = 0; b < 2; ++b) {
    for (std::size_t j = 0; j < 2; ++j) {
      double sum = 0;
      for (Size i = sets.rows(b).begin; i < sets.rows(b).end; ++i)
        sum += hard.y[static_cast<std::size_t>(2 * i) + j];
      CHECK(sum == 1);
    }
  }
}

TEST_CASE("Gumbel draws have the mean and the variance of their distribution", "[ops][weights]") {
  // With two scores of zero the log odds of a softmax are the difference of two draws: a logistic number.
  constexpr Size pairs = 40000;
  Tape tape;
  tape.reset({.training = true, .rng = Rng(5)});
  const Tensor s({2 * pairs, 1});
  const Var w = segment_gumbel_softmax(tape.input(s), Segments::uniform(pairs, 2));
  double sum = 0, squares = 0;
  for (Size b = 0; b < pairs; ++b) {
    const double odds =
        std::log(static_cast<double>(w.value()(2 * b, 0)) / static_cast<double>(w.value()(2 * b + 1, 0)));
    sum += odds;
    squares += odds * odds;
  }
  CHECK(std::abs(sum / pairs) < 0.05);
  CHECK(squares / pairs == Approx(3.28987).epsilon(0.05));
}

TEST_CASE("the first of equal scores is chosen by hard Gumbel weights", "[ops][weights]") {
  const Tensor s({6, 1});
  const auto y = evaluate(tensors(s), [](Tape&, const Inputs& in) {
                   return segment_gumbel_softmax(in[0], Segments({0, 4, 6}), {}, {.choice = Choice::hard});
                 }).y;
  CHECK(y == std::vector<double>{1, 0, 0, 0, 1, 0});
}

TEST_CASE("Gumbel noise must have the shape of the scores", "[ops][weights][errors]") {
  Tape tape;
  tape.reset();
  const Tensor s({4, 2}), noise({4, 1});
  CHECK_THROWS_WITH(segment_gumbel_softmax(tape.input(s), Segments({0, 4}), tape.input(noise)),
                    "segment_gumbel_softmax: noise is [4, 1], scores [4, 2]; expected equal shapes");
}
