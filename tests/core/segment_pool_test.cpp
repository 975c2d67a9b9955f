#include "tarn/core/ops/segment_pool.hpp"

#include "tarn/core/errors.hpp"

#include "core/op_fixture.hpp"

#include <limits>

using namespace tarn;
using namespace tarn::test;

namespace {

Operation pool(Segments sets, PoolOptions options = {}) {
  return
      [=](Tape&, const Inputs& in) { return segment_pool(in[0], std::span(in).subspan(1), sets, options).y; };
}

Operation pool_weights(Segments sets, PoolOptions options = {}) {
  return [=](Tape&, const Inputs& in) {
    return segment_pool(in[0], std::span(in).subspan(1), sets, options).weights;
  };
}

Operation query_pool(Segments sets, PoolOptions options = {}) {
  return [=](Tape&, const Inputs& in) { return segment_query_pool(in[0], in[1], sets, options).y; };
}

Operation query_weights(Segments sets) {
  return [=](Tape&, const Inputs& in) { return segment_query_pool(in[0], in[1], sets).weights; };
}

/// Weights of one column of scores of one set, the textbook way.
std::vector<double> plain_weights(const Tensor& scores, Rows rows, Size s, Weighing weighing) {
  std::vector<double> a;
  double best = -std::numeric_limits<double>::infinity(), sum = 0;
  for (Size i = rows.begin; i < rows.end; ++i)
    best = std::max(best, static_cast<double>(scores.matrix()(i, s)));
  for (Size i = rows.begin; i < rows.end; ++i) {
    const double score = static_cast<double>(scores.matrix()(i, s));
    a.push_back(weighing == Weighing::softmax ? std::exp(score - best) : score);
    sum += a.back();
  }
  for (double& v : a) v /= weighing == Weighing::given || sum == 0 ? 1 : sum;
  return a;
}

std::vector<double> plain_pool(const Tensor& scores, const std::vector<Tensor>& values, const Segments& sets,
                               Weighing weighing) {
  std::vector<double> y;
  for (Size b = 0; b < sets.count(); ++b) {
    for (Size s = 0; s < scores.shape().cols(); ++s) {
      const auto a = plain_weights(scores, sets.rows(b), s, weighing);
      for (const Tensor& v : values) {
        for (Size j = 0; j < v.shape().cols(); ++j) {
          double sum = 0;
          for (Size i = 0; i < sets.size(b); ++i) {
            sum +=
                a[static_cast<std::size_t>(i)] * static_cast<double>(v.matrix()(sets.rows(b).begin + i, j));
          }
          y.push_back(sum);
        }
      }
    }
  }
  return y;
}

Tensor positive(Tensor t) {
  for (Real& v : t.flat()) v = std::abs(v) + Real(0.1);
  return t;
}

/// Scores <x_i, q_s> as a matrix.
Tensor products(const Tensor& x, const Tensor& queries) {
  Tensor scores({x.shape().rows(), queries.shape().rows()});
  multiply(x.matrix(), Transpose::no, queries.matrix(), Transpose::yes, scores.matrix());
  return scores;
}

}  // namespace

TEST_CASE("pooled rows equal the plain loop for every weighing and width", "[core][pool]") {
  const Segments sets = awkward_sets();
  for (const Weighing weighing : {Weighing::softmax, Weighing::share, Weighing::given}) {
    for (const Size num_scores : {1, 3}) {
      for (const Size width : {1, 7, 130}) {
        CAPTURE(static_cast<int>(weighing), num_scores, width);
        const Tensor scores = positive(random_tensor({sets.num_rows(), num_scores}, 1));
        std::vector<Tensor> values =
            tensors(random_tensor({sets.num_rows(), width}, 2), random_tensor({sets.num_rows(), 4}, 3));
        const auto got = evaluate(tensors(scores, values[0], values[1]), pool(sets, {.weighing = weighing}));
        check_near(got.y, plain_pool(scores, values, sets, weighing), rounding(5e-5, 1e-12));
      }
    }
  }
}

TEST_CASE("pooling by queries is pooling by the products with them", "[core][pool]") {
  const Segments sets = awkward_sets();
  for (const Size num_queries : {1, 4}) {
    const Tensor x = random_tensor({sets.num_rows(), 130}, 1), q = random_tensor({num_queries, 130}, 2);
    std::vector<Tensor> values;
    values.push_back(x.clone());
    check_near(evaluate(tensors(x, q), query_pool(sets)).y,
               plain_pool(products(x, q), values, sets, Weighing::softmax), rounding(1e-4, 1e-12));
  }
}

TEST_CASE("every set may have queries of its own", "[core][pool]") {
  const Segments sets({0, 3, 3, 9, 1300});
  const Tensor x = random_tensor({1300, 5}, 1), q = random_tensor({4, 2, 5}, 2);
  const auto got = evaluate(tensors(x, q), query_pool(sets)).y;
  for (Size b = 0; b < 4; ++b) {
    const Tensor own({2, 5}, q.flat().subspan(static_cast<std::size_t>(10 * b), 10));
    const auto alone =
        evaluate(tensors(rows_of(x, sets.rows(b)), own), query_pool(Segments::uniform(1, sets.size(b)))).y;
    CHECK(std::equal(alone.begin(), alone.end(), got.begin() + 10 * b));
  }
}

TEST_CASE("gradients of pooled rows and of their weights agree with central differences", "[core][pool]") {
  for (const Segments& sets : {Segments({0, 0, 1, 6, 6, 17}), Segments({0, 3, 1100})}) {
    const Size n = sets.num_rows();
    for (const Weighing weighing : {Weighing::softmax, Weighing::share, Weighing::given}) {
      CAPTURE(static_cast<int>(weighing), n);
      const auto at = [&] {
        return tensors(positive(random_tensor({n, 2}, 1)), random_tensor({n, 60}, 2),
                       random_tensor({n, 2}, 3));
      };
      check_gradients(at(), pool(sets, {.weighing = weighing}));
      check_gradients(at(), pool_weights(sets, {.weighing = weighing}));
      check_gradients(at(), pool(sets, {.weighing = weighing, .dropout = 0.4, .keep_sums = true}),
                      {.training = true, .rng = Rng(3)});
    }
    check_gradients(tensors(random_tensor({n, 30}, 1), random_tensor({1, 30}, 2)), query_pool(sets));
    check_gradients(tensors(random_tensor({n, 4}, 1), random_tensor({3, 4}, 2)), query_pool(sets));
    check_gradients(tensors(random_tensor({n, 4}, 1), random_tensor({sets.count(), 3, 4}, 2)),
                    query_pool(sets));
    check_gradients(tensors(random_tensor({n, 30}, 1), random_tensor({1, 30}, 2)), query_weights(sets));
    check_gradients(tensors(random_tensor({n, 4}, 1), random_tensor({3, 4}, 2)),
                    query_pool(sets, {.dropout = 0.3, .keep_sums = true}), {.training = true, .rng = Rng(4)});
  }
}

TEST_CASE("dropout keeps the expectation and drops nothing outside training", "[core][pool]") {
  const Segments sets({0, 4000});
  const PoolOptions half{.dropout = 0.5, .keep_sums = true};
  const std::vector<Tensor> at = tensors(Tensor({4000, 1}), random_tensor({4000, 1}, 2));
  const auto run = [&](Pass pass) { return evaluate(tensors(at[0], at[1]), pool(sets, half), pass).y; };
  CHECK(run({})[1] == Approx(1.0));
  const auto trained = run({.training = true, .rng = Rng(1)});
  CHECK(trained[1] != Approx(1.0).epsilon(1e-6));
  CHECK(trained[1] == Approx(1.0).margin(0.1));
  CHECK(run({.training = true, .rng = Rng(1)}) == trained);
  CHECK(run({.training = true, .rng = Rng(2)}) != trained);
}

TEST_CASE("scores of any size give finite weights; one row weighs exactly one", "[core][pool]") {
  Tensor scores = random_tensor({1500, 1}, 1);
  for (Real& v : scores.flat()) v *= 10000;
  const Segments sets({0, 1, 3, 1500});
  const auto weights = evaluate(tensors(scores, random_tensor({1500, 2}, 2)), pool_weights(sets)).y;
  CHECK(weights[0] == 1);
  CHECK(std::all_of(weights.begin(), weights.end(), [](double w) { return w >= 0 && w <= 1; }));
  CHECK(std::accumulate(weights.begin() + 3, weights.end(), 0.0) == Approx(1));
  scores.matrix()(1, 0) = scores.matrix()(2, 0) = -std::numeric_limits<Real>::infinity();
  const auto none = evaluate(tensors(scores, random_tensor({1500, 2}, 2)), pool(sets)).y;
  CHECK(none[2] == 0);
}

TEST_CASE("a set pools alone to the bits it has among others, for any number of threads", "[core][pool]") {
  const Segments sets = awkward_sets();
  const Tensor x = random_tensor({sets.num_rows(), 70}, 1), q = random_tensor({3, 70}, 2);
  check_threads(tensors(x, q), query_pool(sets));
  const auto together = evaluate(tensors(x, q), query_pool(sets)).y;
  for (Size b = 0; b < sets.count(); ++b) {
    const auto alone =
        evaluate(tensors(rows_of(x, sets.rows(b)), q), query_pool(Segments::uniform(1, sets.size(b)))).y;
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + b * 210));
  }
}

TEST_CASE("shares of a sum of zero are zero", "[core][pool]") {
  const auto got = evaluate(tensors(Tensor({3, 1}), random_tensor({3, 2}, 1)),
                            pool(Segments({0, 3}), {.weighing = Weighing::share}));
  CHECK(got.y == std::vector<double>{0, 0});
  CHECK(got.gradients[0] == std::vector<double>(3, 0.0));
}

TEST_CASE("values and queries that do not fit are refused", "[core][pool][errors]") {
  const Segments sets({0, 3});
  CHECK_THROWS_AS(evaluate(tensors(random_tensor({3, 1}, 1), random_tensor({4, 2}, 2)), pool(sets)),
                  ShapeError);
  CHECK_THROWS_AS(evaluate(tensors(random_tensor({3, 2}, 1), random_tensor({1, 3}, 2)), query_pool(sets)),
                  ShapeError);
  CHECK_THROWS_AS(evaluate(tensors(random_tensor({3, 2}, 1), random_tensor({2, 1, 2}, 2)), query_pool(sets)),
                  ShapeError);
}
