#include "tarn/core/ops/segment_power_mean.hpp"

#include "tarn/core/errors.hpp"

#include "core/op_fixture.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

constexpr PowerMeanBounds gem{.low = 1e-6, .high = {}, .on_mean = false};
constexpr PowerMeanBounds clamped{.low = 0.01, .high = 2.0, .on_mean = true};
constexpr PowerMeanBounds unbounded{};

Operation power_mean(Segments sets, double p, PowerMeanBounds bounds) {
  return [=](Tape&, const Inputs& in) {
    return segment_power_mean(in[0], in.size() > 1 ? in[1] : Var{}, p, bounds, sets);
  };
}

double bound(double v, const PowerMeanBounds& b) {
  if (b.low) v = std::max(v, *b.low);
  return b.high ? std::min(v, *b.high) : v;
}

double plain(const Tensor& x, Rows rows, Size j, double p, const PowerMeanBounds& b) {
  double mean = 0;
  for (Size i = rows.begin; i < rows.end; ++i)
    mean += std::pow(bound(static_cast<double>(x.matrix()(i, j)), b), p) / static_cast<double>(rows.size());
  return rows.size() == 0 ? 0 : std::pow(b.on_mean ? bound(mean, b) : mean, 1 / p);
}

Tensor positive(const Shape& shape, std::uint64_t seed) {
  Tensor t = random_tensor(shape, seed);
  for (Real& v : t.flat()) v = std::abs(v) + Real(0.05);
  return t;
}

}  // namespace

TEST_CASE("a power mean equals the plain loop", "[core][power-mean]") {
  const Segments sets = awkward_sets();
  for (const PowerMeanBounds& bounds : {gem, clamped}) {
    for (const double p : {1.0, 3.0, -2.0, 0.3}) {
      CAPTURE(p, bounds.on_mean);
      const Tensor x = random_tensor({sets.num_rows(), 70}, 1);
      std::vector<double> want;
      for (Size b = 0; b < sets.count(); ++b) {
        for (Size j = 0; j < 70; ++j) want.push_back(plain(x, sets.rows(b), j, p, bounds));
      }
      check_near(evaluate(tensors(x), power_mean(sets, p, bounds)).y, want, rounding(2e-5, 1e-11));
    }
  }
}

TEST_CASE("gradients of a power mean agree with central differences", "[core][power-mean]") {
  for (const Segments& sets : {Segments({0, 0, 1, 6, 6, 17}), Segments({0, 3, 1100})}) {
    const Tensor x = positive({sets.num_rows(), 4}, 1), p = positive({2}, 2), each = positive({4}, 3);
    for (const PowerMeanBounds& bounds : {gem, clamped, unbounded}) {
      check_gradients(tensors(x), power_mean(sets, 2.5, bounds));
      check_gradients(tensors(x, p), power_mean(sets, 0, bounds));
      check_gradients(tensors(x, each), power_mean(sets, 0, bounds));
    }
  }
}

TEST_CASE("a large exponent tends to the maximum without leaving the range of numbers",
          "[core][power-mean]") {
  Tensor x = positive({50, 3}, 4);
  for (Real& v : x.flat()) v *= 1000;
  const auto got = evaluate(tensors(x), power_mean(Segments({0, 50}), 100, gem));
  for (Size j = 0; j < 3; ++j) {
    double best = 0;
    for (Size i = 0; i < 50; ++i) best = std::max(best, static_cast<double>(x.matrix()(i, j)));
    CHECK(got.y[static_cast<std::size_t>(j)] == Approx(best).epsilon(0.05));
  }
  CHECK(std::all_of(got.gradients[0].begin(), got.gradients[0].end(),
                    [](double v) { return std::isfinite(v); }));
}

TEST_CASE("zeros without a lower bound make no NaN", "[core][power-mean]") {
  const Tensor x({3, 2}, std::array<Real, 6>{0, 0, 0, 2, 0, 4});
  for (const double p : {1.0, 2.0, 0.5}) {
    CAPTURE(p);
    const auto got = evaluate(tensors(x, Tensor({1}, std::array<Real, 1>{static_cast<Real>(p)})),
                              power_mean(Segments({0, 3}), 0, unbounded));
    CHECK(got.y[0] == 0);
    CHECK(got.y[1] == Approx(plain(x, {0, 3}, 1, p, unbounded)));
    CHECK(got.gradients[0][0] == 0);
    CHECK(got.gradients[0][1] ==
          Approx(p == 1 ? static_cast<double>(cotangent_for({1, 2}).data()[1]) / 3 : 0));
    for (const auto& gradient : got.gradients) {
      CHECK(std::all_of(gradient.begin(), gradient.end(), [](double v) { return std::isfinite(v); }));
    }
  }
}

TEST_CASE("a power mean keeps its bits for any number of threads and any company", "[core][power-mean]") {
  const Segments sets = awkward_sets();
  const Tensor x = positive({sets.num_rows(), 6}, 1), p = positive({3}, 2);
  check_threads(tensors(x, p), power_mean(sets, 0, gem));
  const auto together = evaluate(tensors(x, p), power_mean(sets, 0, gem)).y;
  for (Size b = 0; b < sets.count(); ++b) {
    const auto alone =
        evaluate(tensors(rows_of(x, sets.rows(b)), p), power_mean(Segments::uniform(1, sets.size(b)), 0, gem))
            .y;
    CHECK(std::equal(alone.begin(), alone.end(), together.begin() + b * 6));
  }
}

TEST_CASE("exponents that do not divide the features are refused", "[core][power-mean][errors]") {
  CHECK_THROWS_AS(
      evaluate(tensors(positive({3, 4}, 1), positive({3}, 1)), power_mean(Segments({0, 3}), 0, gem)),
      ShapeError);
}
