#include "tarn/core/ops/segment_feature_pool.hpp"

#include "tarn/core/errors.hpp"

#include "core/op_fixture.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

Operation feature_softmax(Segments sets, double t, SemiGrad semi_grad = SemiGrad::no) {
  return [=](Tape&, const Inputs& in) {
    return segment_feature_softmax(in[0], in.size() > 1 ? in[1] : Var{}, t, sets, semi_grad);
  };
}

Operation feature_pool(Segments sets) {
  return [=](Tape&, const Inputs& in) { return segment_feature_pool(in[0], in[1], sets); };
}

/// sum_i softmax_i(s_i) v_i over one column of one set.
double plain(const Tensor& scores, Size s, const Tensor& values, Size v, Rows rows, double t = 1) {
  double best = -1e300, sum = 0, pooled = 0;
  for (Size i = rows.begin; i < rows.end; ++i)
    best = std::max(best, t * static_cast<double>(scores.matrix()(i, s)));
  for (Size i = rows.begin; i < rows.end; ++i) {
    const double e = std::exp(t * static_cast<double>(scores.matrix()(i, s)) - best);
    sum += e;
    pooled += e * static_cast<double>(values.matrix()(i, v));
  }
  return rows.size() == 0 ? 0 : pooled / sum;
}

}  // namespace

TEST_CASE("a softmax per feature equals the plain loop", "[core][pool]") {
  const Segments sets = awkward_sets();
  for (const Size width : {1, 64, 130}) {
    for (const double t : {1.0, -2.0, 300.0}) {
      CAPTURE(width, t);
      const Tensor x = random_tensor({sets.num_rows(), width}, 1);
      std::vector<double> want;
      for (Size b = 0; b < sets.count(); ++b) {
        for (Size j = 0; j < width; ++j) want.push_back(plain(x, j, x, j, sets.rows(b), t));
      }
      check_near(evaluate(tensors(x), feature_softmax(sets, t)).y, want, rounding(2e-5, 1e-12));
    }
  }
}

TEST_CASE("blocks of scores pool the same values, each by weights of its own", "[core][pool]") {
  const Segments sets = awkward_sets();
  for (const Size width : {3, 128, 130}) {
    for (const Size blocks : {1, 2}) {
      CAPTURE(width, blocks);
      const Tensor s = random_tensor({sets.num_rows(), blocks * width}, 1);
      const Tensor v = random_tensor({sets.num_rows(), width}, 2);
      std::vector<double> want;
      for (Size b = 0; b < sets.count(); ++b) {
        for (Size j = 0; j < blocks * width; ++j) want.push_back(plain(s, j, v, j % width, sets.rows(b)));
      }
      check_near(evaluate(tensors(s, v), feature_pool(sets)).y, want, rounding(2e-5, 1e-12));
    }
  }
}

TEST_CASE("gradients of pooling by features agree with central differences", "[core][pool]") {
  for (const Segments& sets : {Segments({0, 0, 1, 6, 6, 17}), Segments({0, 3, 1100})}) {
    const Tensor x = random_tensor({sets.num_rows(), 3}, 1);
    check_gradients(tensors(x), feature_softmax(sets, 0.7));
    check_gradients(tensors(x, random_tensor({1}, 2)), feature_softmax(sets, 0));
    check_gradients(tensors(x, random_tensor({3}, 2)), feature_softmax(sets, 0));
    check_gradients(tensors(random_tensor({sets.num_rows(), 6}, 3), x), feature_pool(sets));
    check_gradients(tensors(random_tensor({sets.num_rows(), 3}, 3), x), feature_pool(sets));
  }
}

TEST_CASE("the semi-gradient of a softmax per feature is g a", "[core][pool]") {
  const Segments sets({0, 4});
  const Tensor x = random_tensor({4, 2}, 1), ones({4, 2}, std::vector<Real>(8, 1));
  const auto semi = evaluate(tensors(x), feature_softmax(sets, 1.5, SemiGrad::yes));
  Tensor scaled = x.clone();
  for (Real& v : scaled.flat()) v *= Real(1.5);
  check_near(semi.gradients[0], evaluate(tensors(scaled, ones), feature_pool(sets)).gradients[1],
             rounding(1e-6, 1e-12));
}

TEST_CASE("pooling by features keeps its bits for any number of threads and any company", "[core][pool]") {
  const Segments sets = awkward_sets();
  const Tensor x = random_tensor({sets.num_rows(), 70}, 1), t = random_tensor({70}, 2);
  check_threads(tensors(x, t), feature_softmax(sets, 1));
  const auto together = evaluate(tensors(x, t), feature_softmax(sets, 1)).y;
  for (Size b = 0; b < sets.count(); ++b) {
    const auto alone =
        evaluate(tensors(rows_of(x, sets.rows(b)), t), feature_softmax(Segments::uniform(1, sets.size(b)), 1))
            .y;
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + b * 70));
  }
}

TEST_CASE("scores and scales that do not fit are refused", "[core][pool][errors]") {
  const Segments sets({0, 3});
  const Tensor x = random_tensor({3, 4}, 1);
  CHECK_THROWS_AS(evaluate(tensors(x, random_tensor({3}, 1)), feature_softmax(sets, 1)), ShapeError);
  CHECK_THROWS_AS(evaluate(tensors(random_tensor({3, 6}, 1), x), feature_pool(sets)), ShapeError);
}
