#include "tarn/core/ops/segment_select.hpp"

#include "tarn/core/errors.hpp"

#include "core/op_fixture.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

using namespace tarn;
using namespace tarn::test;

namespace {

Operation quantile(Segments sets, std::vector<double> q, Interpolation interpolation, double fill = 0) {
  return [=](Tape&, const Inputs& in) { return segment_quantile(in[0], sets, q, interpolation, fill); };
}

/// The rows of a column in the order of their values, stable.
std::vector<Size> sorted_rows(const Tensor& x, Rows rows, Size j) {
  std::vector<Size> order(static_cast<std::size_t>(rows.size()));
  std::iota(order.begin(), order.end(), rows.begin);
  std::stable_sort(order.begin(), order.end(),
                   [&](Size a, Size b) { return x.matrix()(a, j) < x.matrix()(b, j); });
  return order;
}

double plain(const Tensor& x, Rows rows, Size j, double q, Interpolation interpolation, double fill) {
  if (rows.size() == 0) return fill;
  const auto order = sorted_rows(x, rows, j);
  const double at = q * static_cast<double>(rows.size() - 1);
  const auto value = [&](double position) {
    return static_cast<double>(x.matrix()(order[static_cast<std::size_t>(position)], j));
  };
  const double low = value(std::floor(at)), high = value(std::ceil(at));
  switch (interpolation) {
    case Interpolation::linear:
      return low + (high - low) * (at - std::floor(at));
    case Interpolation::lower:
      return low;
    case Interpolation::higher:
      return high;
    case Interpolation::midpoint:
      return (low + high) / 2;
    case Interpolation::nearest:
      return at - std::floor(at) == 0.5 ? (static_cast<Size>(std::floor(at)) % 2 == 0 ? low : high)
                                        : (at - std::floor(at) < 0.5 ? low : high);
  }
  return 0;
}

constexpr std::array interpolations{Interpolation::linear, Interpolation::lower, Interpolation::higher,
                                    Interpolation::nearest, Interpolation::midpoint};

/// Few different values, so that there are ties everywhere.
Tensor with_ties(const Shape& shape) {
  Tensor x = random_tensor(shape, 3);
  for (Real& v : x.flat()) v = std::round(v * 2);
  return x;
}

}  // namespace

TEST_CASE("quantiles equal those of sorted columns", "[core][select]") {
  const Segments sets = awkward_sets();
  for (const Interpolation interpolation : interpolations) {
    for (const Size width : {1, 20}) {
      CAPTURE(static_cast<int>(interpolation), width);
      const Tensor x = random_tensor({sets.num_rows(), width}, 1);
      const std::vector<double> q{0.5, 0, 0.9, 1};
      std::vector<double> want;
      for (Size b = 0; b < sets.count(); ++b) {
        for (const double one : q) {
          for (Size j = 0; j < width; ++j) want.push_back(plain(x, sets.rows(b), j, one, interpolation, -1));
        }
      }
      check_near(evaluate(tensors(x), quantile(sets, q, interpolation, -1)).y, want, rounding(1e-6, 1e-14));
    }
  }
}

TEST_CASE("gradients of quantiles agree with central differences", "[core][select]") {
  const Segments sets({0, 0, 1, 6, 6, 17, 2200});
  for (const Interpolation interpolation : interpolations)
    check_gradients(tensors(random_tensor({2200, 3}, 1)), quantile(sets, {0.3, 0.75}, interpolation));
}

TEST_CASE("among equal values the lowest row gives the lowest position", "[core][select]") {
  const Segments sets({0, 9, 40, 2100});
  const Tensor x = with_ties({2100, 18});
  for (const double q : {0.0, 0.3, 0.5, 1.0}) {
    const auto got = evaluate(tensors(x), quantile(sets, {q}, Interpolation::lower));
    const Tensor g = cotangent_for({3, 18});
    std::vector<double> want(static_cast<std::size_t>(2100 * 18), 0.0);
    for (Size b = 0; b < 3; ++b) {
      for (Size j = 0; j < 18; ++j) {
        const auto at = static_cast<std::size_t>(std::floor(q * static_cast<double>(sets.size(b) - 1)));
        const Size row = sorted_rows(x, sets.rows(b), j)[at];
        want[static_cast<std::size_t>(row * 18 + j)] = static_cast<double>(g.matrix()(b, j));
      }
    }
    CHECK(got.gradients[0] == want);
  }
}

TEST_CASE("a NaN makes its own column of its own set NaN", "[core][select]") {
  for (const Size rows : {10, 3000}) {
    Tensor x = random_tensor({2 * rows, 3}, 1);
    x.matrix()(rows + 2, 1) = std::numeric_limits<Real>::quiet_NaN();
    const auto got = evaluate(tensors(x), quantile(Segments::uniform(2, rows), {0.5}, Interpolation::lower));
    for (std::size_t i = 0; i < 6; ++i) CHECK(std::isnan(got.y[i]) == (i == 4));
  }
}

TEST_CASE("quantiles keep their bits for any number of threads and any company", "[core][select]") {
  const Segments sets = awkward_sets();
  const Tensor x = random_tensor({sets.num_rows(), 20}, 1);
  check_threads(tensors(x), quantile(sets, {0.4}, Interpolation::linear));
}

TEST_CASE("top rows are the largest keys, the lower row first, and picked rows are summed",
          "[core][select]") {
  const Segments sets({0, 4, 4, 6});
  Tape tape;
  tape.reset();
  const std::array<Real, 6> keys{1, 3, 3, 2, 5, 5};
  const auto top = segment_top_rows(tape, keys, sets, 3);
  CHECK(std::vector<NodeId>(top.begin(), top.end()) == std::vector<NodeId>{1, 2, 3, -1, -1, -1, 4, 5, -1});

  const std::vector<NodeId> rows{1, 2, 3, 0, -1, -1, -1, -1, 4, 5, 5, -1};
  const std::vector<Real> factors{1, 0.5, 1, 1, 2, 1};
  const Operation pick = [&](Tape&, const Inputs& in) {
    return segment_pick(in[0], sets, rows, 2, 2, factors);
  };
  const Tensor x = random_tensor({6, 3}, 1);
  const auto got = evaluate(tensors(x), pick);
  const auto at = [&](Size i, Size j) { return static_cast<double>(x.matrix()(i, j)); };
  for (Size j = 0; j < 3; ++j) {
    const auto column = static_cast<std::size_t>(j);
    CHECK(got.y[column] == Approx(at(1, j) + at(2, j)));
    CHECK(got.y[3 + column] == Approx((at(3, j) + at(0, j)) / 2));
    CHECK(got.y[6 + column] == 0);
    CHECK(got.y[12 + column] == Approx(2 * (at(4, j) + at(5, j))));
    CHECK(got.y[15 + column] == Approx(at(5, j)));
  }
  check_gradients(tensors(x), pick);
}
