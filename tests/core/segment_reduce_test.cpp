#include "tarn/core/errors.hpp"

#include "core/op_fixture.hpp"

#include <algorithm>
#include <array>
#include <limits>

using namespace tarn;
using namespace tarn::test;

namespace {

constexpr std::array all_statistics{Reduce::sum, Reduce::mean, Reduce::max, Reduce::min,
                                    Reduce::mul, Reduce::var,  Reduce::std, Reduce::sum_over_root};

Operation reduce(Segments sets, std::vector<Reduce> statistics, SemiGrad semi_grad = SemiGrad::no,
                 RowChoice rows = {}) {
  return [=](Tape&, const Inputs& in) { return segment_reduce(in[0], sets, statistics, semi_grad, rows); };
}

/// One column of one set, the textbook way.
double plain(Reduce statistic, const std::vector<double>& column) {
  const double n = static_cast<double>(column.size());
  if (column.empty()) return statistic == Reduce::mul ? 1 : 0;
  const double sum = std::accumulate(column.begin(), column.end(), 0.0);
  double var = 0;
  for (const double v : column) var += (v - sum / n) * (v - sum / n) / n;
  switch (statistic) {
    case Reduce::sum:
      return sum;
    case Reduce::mean:
      return sum / n;
    case Reduce::max:
      return *std::max_element(column.begin(), column.end());
    case Reduce::min:
      return *std::min_element(column.begin(), column.end());
    case Reduce::mul:
      return std::accumulate(column.begin(), column.end(), 1.0, std::multiplies<>());
    case Reduce::var:
      return var;
    case Reduce::std:
      return var > 1e-5 ? std::sqrt(var) : 0;
    case Reduce::sum_over_root:
      return sum / std::sqrt(n);
  }
  return 0;
}

std::vector<double> column_of(const Tensor& x, Rows rows, Size j) {
  std::vector<double> column;
  for (Size i = rows.begin; i < rows.end; ++i) column.push_back(static_cast<double>(x.matrix()(i, j)));
  return column;
}

std::vector<Reduce> every() {
  return {all_statistics.begin(), all_statistics.end()};
}

/// Factors near one, so that products of thousands stay in range.
Tensor near_one(const Shape& shape) {
  Tensor x = random_tensor(shape, 1);
  for (Real& v : x.flat()) v = Real(1) + v / 100;
  return x;
}

}  // namespace

TEST_CASE("every statistic equals the plain loop, alone and beside the others", "[core][segment]") {
  const Segments sets = awkward_sets();
  for (const Size width : {1, 5, 64, 130, 256}) {
    const Tensor x = near_one({sets.num_rows(), width});
    const Evaluated together = evaluate(tensors(x), reduce(sets, every()));
    for (std::size_t k = 0; k < all_statistics.size(); ++k) {
      CAPTURE(width, k);
      std::vector<double> want, column;
      for (Size b = 0; b < sets.count(); ++b) {
        for (Size j = 0; j < width; ++j) {
          want.push_back(plain(all_statistics[k], column_of(x, sets.rows(b), j)));
          column.push_back(together.y[static_cast<std::size_t>(
              b * width * static_cast<Size>(all_statistics.size()) + static_cast<Size>(k) * width + j)]);
        }
      }
      check_near(column, want, rounding(2e-6, 1e-12));
      CHECK(evaluate(tensors(x), reduce(sets, {all_statistics[k]})).y == column);
    }
  }
}

TEST_CASE("gradients of all statistics agree with central differences", "[core][segment]") {
  const Segments sets({0, 0, 1, 6, 6, 17});
  check_gradients(tensors(near_one({17, 3})), reduce(sets, every()));
  const Segments cut({0, 3, 2100});
  check_gradients(tensors(near_one({2100, 2})), reduce(cut, every()));
  check_gradients(tensors(near_one({17, 3})), reduce(sets, every(), SemiGrad::no, {SetEnd::last, 2}));
}

TEST_CASE("the semi-gradient takes the mean of the squares as a constant", "[core][segment]") {
  const Segments sets({0, 5, 9});
  const Tensor x = random_tensor({9, 3}, 4);
  const Evaluated got = evaluate(tensors(x), reduce(sets, {Reduce::var, Reduce::std}, SemiGrad::yes));
  const Tensor g = cotangent_for({2, 6});
  std::vector<double> want;
  for (Size i = 0; i < 9; ++i) {
    const Size b = sets.owner(i);
    const double n = static_cast<double>(sets.size(b));
    for (Size j = 0; j < 3; ++j) {
      const auto column = column_of(x, sets.rows(b), j);
      const double mean = plain(Reduce::mean, column), std = plain(Reduce::std, column);
      const double gv = static_cast<double>(g.matrix()(b, j)), gs = static_cast<double>(g.matrix()(b, 3 + j));
      want.push_back((gv + gs / (2 * std)) * -2 * mean / n);
    }
  }
  check_near(got.gradients[0], want, rounding(1e-5, 1e-12));
}

TEST_CASE("rows that share an extremum share its gradient, also an extremum of zero", "[core][segment]") {
  const Tensor x({5, 1}, std::array<Real, 5>{0, 0, -1, 0, 0});
  const Segments sets({0, 3, 4, 5});
  const Tensor g = cotangent_for({3, 2});
  const Evaluated got = evaluate(tensors(x), reduce(sets, {Reduce::max, Reduce::min}));
  const auto of = [&](Size b, Size k) { return static_cast<double>(g.matrix()(b, k)); };
  check_near(got.gradients[0],
             {of(0, 0) / 2, of(0, 0) / 2, of(0, 1), of(1, 0) + of(1, 1), of(2, 0) + of(2, 1)}, 1e-6);
}

TEST_CASE("the variance of numbers far from zero keeps its digits", "[core][segment]") {
  // The literal formula E[x^2] - E[x]^2 gives 0.01 here in float.
  Tensor x = random_tensor({1000, 2}, 5);
  for (Real& v : x.flat()) v = Real(100) + v / 100;
  const Segments sets({0, 1000});
  const Evaluated got = evaluate(tensors(x), reduce(sets, {Reduce::var}));
  for (Size j = 0; j < 2; ++j) {
    CHECK(got.y[static_cast<std::size_t>(j)] ==
          Approx(plain(Reduce::var, column_of(x, {0, 1000}, j))).epsilon(1e-4));
  }
}

TEST_CASE("a product with zero factors has the gradient of the other factors", "[core][segment]") {
  const Tensor x({6, 1}, std::array<Real, 6>{2, 0, 5, 0, 3, 0});
  const Evaluated got = evaluate(tensors(x), reduce(Segments({0, 3, 6}), {Reduce::mul}));
  const double g = static_cast<double>(cotangent_for({2, 1}).data()[0]);
  CHECK(got.y == std::vector<double>{0, 0});
  check_near(got.gradients[0], {0, 10 * g, 0, 0, 0, 0}, 1e-6);
}

TEST_CASE("a product that leaves the range of numbers on its way makes no NaN", "[core][segment]") {
  const Real big = std::sqrt(std::numeric_limits<Real>::max());
  Tensor x({4000, 1});
  for (Size i = 0; i < 4000; ++i) x.data()[i] = i < 2000 ? big : i < 3999 ? 1 / big : 0;
  const Evaluated got = evaluate(tensors(x), reduce(Segments({0, 4000}), {Reduce::mul}));
  CHECK(got.y[0] == 0);
  CHECK(
      std::none_of(got.gradients[0].begin(), got.gradients[0].end(), [](double v) { return std::isnan(v); }));
}

TEST_CASE("a NaN spreads inside its own set and column alone", "[core][segment]") {
  Tensor x = random_tensor({3000, 2}, 6);
  x.matrix()(1500, 1) = std::numeric_limits<Real>::quiet_NaN();
  const Segments sets({0, 100, 2900, 3000});
  const Evaluated got = evaluate(tensors(x), reduce(sets, every()));
  for (std::size_t i = 0; i < got.y.size(); ++i) {
    const bool poisoned = i / 16 == 1 && i % 2 == 1;
    // A standard deviation of NaN counts as not above the least one.
    CHECK(std::isnan(got.y[i]) == poisoned);
  }
}

TEST_CASE("a set reduces alone to the bits it has among others, for any number of threads",
          "[core][segment]") {
  const Segments sets = awkward_sets();
  const Tensor x = near_one({sets.num_rows(), 70});
  check_threads(tensors(x), reduce(sets, every()));
  const Evaluated together = evaluate(tensors(x), reduce(sets, every()));
  for (Size b = 0; b < sets.count(); ++b) {
    const Evaluated alone =
        evaluate(tensors(rows_of(x, sets.rows(b))), reduce(Segments::uniform(1, sets.size(b)), every()));
    const std::size_t width = alone.y.size();
    CHECK(std::equal(alone.y.begin(), alone.y.end(),
                     together.y.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(b) * width)));
  }
}

TEST_CASE("the first and last rows of sets are reduced alone", "[core][segment]") {
  const Segments sets({0, 0, 1, 5, 2000});
  const Tensor x = random_tensor({2000, 3}, 8);
  for (const SetEnd end : {SetEnd::first, SetEnd::last}) {
    for (const Size most : {1, 3, 1500}) {
      const RowChoice choice{end, most};
      const Evaluated got = evaluate(tensors(x), reduce(sets, {Reduce::mean}, SemiGrad::no, choice));
      std::vector<double> want;
      for (Size b = 0; b < sets.count(); ++b) {
        for (Size j = 0; j < 3; ++j)
          want.push_back(plain(Reduce::mean, column_of(x, choice.of(sets.rows(b)), j)));
      }
      check_near(got.y, want, rounding(1e-6, 1e-13));
    }
  }
}

TEST_CASE("a gradient far larger than the caches is written as a small one is", "[core][segment][slow]") {
  const Size rows = 70000, width = 128;
  const Tensor x = random_tensor({rows, width}, 9);
  const Segments sets = Segments::uniform(rows / 100, 100);
  const Evaluated got = evaluate(tensors(x), reduce(sets, {Reduce::mean}));
  const Tensor g = cotangent_for({sets.count(), width});
  bool equal = true;
  for (Size i = 0; i < rows; ++i) {
    for (Size j = 0; j < width; ++j) {
      const double want = static_cast<double>(g.matrix()(i / 100, j)) / 100;
      equal = equal && std::abs(got.gradients[0][static_cast<std::size_t>(i * width + j)] - want) < 1e-7;
    }
  }
  CHECK(equal);
}

TEST_CASE("sets that do not cover the rows are refused", "[core][segment][errors]") {
  CHECK_THROWS_AS(evaluate(tensors(random_tensor({3, 2}, 1)), reduce(Segments({0, 2}), {Reduce::sum})),
                  ShapeError);
}
