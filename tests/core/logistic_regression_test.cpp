#include "tarn/core/logistic_regression.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/core/tensor.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace tarn;

namespace {

/// Random features whose classes depend on them, with noise.
struct Sample {
  Tensor x;
  std::vector<Size> labels;
};

Sample random_sample(Size n, Size dim, Size num_classes) {
  Sample sample{Tensor({n, dim}), {}};
  const Rng rng(5);
  for (Size k = 0; k < n * dim; ++k) {
    const double z = rng.normal(static_cast<std::uint64_t>(k));
    sample.x.data()[k] = static_cast<Real>(k % dim == 0 ? 100 + z : 0.01 * z);  // columns of unlike scale
  }
  for (Size i = 0; i < n; ++i) {
    const double score = static_cast<double>(sample.x.data()[i * dim]) - 100 +
                         rng.split("noise").normal(static_cast<std::uint64_t>(i));
    sample.labels.push_back(std::clamp<Size>(static_cast<Size>(std::floor(score + 1)), 0, num_classes - 1));
  }
  return sample;
}

LinearClassifier fit(const Sample& sample, Size num_classes, const LogisticRegressionOptions& options = {}) {
  return fit_logistic_regression(sample.x.matrix(), sample.labels, num_classes, options);
}

}  // namespace

TEST_CASE("one binary feature is fitted to its log odds", "[core][logistic]") {
  // Three of four rows follow the sign of x: log odds of +-log 3; x has mean 10 and deviation 2.
  const std::vector<Real> x{8, 8, 8, 8, 12, 12, 12, 12};
  const std::vector<Size> labels{0, 0, 0, 1, 1, 1, 1, 0};
  const auto model =
      fit_logistic_regression(ConstMatrixView(x.data(), 8, 1), labels, 2, {.l2 = 0, .tolerance = 1e-10});
  CHECK(model.converged);
  CHECK(model.weights[1] - model.weights[0] == Approx(std::log(3.0) / 2));
  CHECK(model.bias[1] - model.bias[0] == Approx(-10 * std::log(3.0) / 2));
  CHECK(model.loss == Approx(-0.75 * std::log(0.75) - 0.25 * std::log(0.25)));
  CHECK(predict(model, ConstMatrixView(x.data(), 8, 1)) == std::vector<Size>{0, 0, 0, 0, 1, 1, 1, 1});
}

TEST_CASE("a constant feature leaves the class frequencies", "[core][logistic]") {
  const std::vector<Real> x(6, Real{0.1F});
  const std::vector<Size> labels{0, 1, 1, 2, 2, 2};
  const auto model =
      fit_logistic_regression(ConstMatrixView(x.data(), 6, 1), labels, 3, {.tolerance = 1e-10});
  CHECK(model.weights == std::vector<double>{0, 0, 0});
  CHECK(model.bias[1] - model.bias[0] == Approx(std::log(2.0)));
  CHECK(model.bias[2] - model.bias[0] == Approx(std::log(3.0)));
}

TEST_CASE("the gradient of the penalised objective is zero at the fit of three classes", "[core][logistic]") {
  constexpr Size n = 700, dim = 4, num_classes = 3;
  const Sample sample = random_sample(n, dim, num_classes);
  const double l2 = 0.02;
  const auto model = fit(sample, num_classes, {.l2 = l2, .tolerance = 1e-8});
  REQUIRE(model.converged);
  for (Size j = 0; j < dim; ++j) {
    double mean = 0, squares = 0;
    for (Size i = 0; i < n; ++i) mean += static_cast<double>(sample.x.matrix()(i, j)) / n;
    for (Size i = 0; i < n; ++i)
      squares += std::pow(static_cast<double>(sample.x.matrix()(i, j)) - mean, 2) / n;
    const double deviation = std::sqrt(squares);
    std::vector<double> gradient(num_classes);
    for (Size i = 0; i < n; ++i) {
      std::vector<double> p = model.bias;
      double total = 0;
      for (Size c = 0; c < num_classes; ++c) {
        const auto at = static_cast<std::size_t>(c);
        for (Size k = 0; k < dim; ++k)
          p[at] += model.weights[static_cast<std::size_t>(c * dim + k)] *
                   static_cast<double>(sample.x.matrix()(i, k));
        p[at] = std::exp(p[at]);
        total += p[at];
      }
      for (Size c = 0; c < num_classes; ++c) {
        const auto at = static_cast<std::size_t>(c);
        const double residual = p[at] / total - (sample.labels[static_cast<std::size_t>(i)] == c ? 1 : 0);
        gradient[at] += residual * (static_cast<double>(sample.x.matrix()(i, j)) - mean) / deviation / n;
      }
    }
    for (Size c = 0; c < num_classes; ++c) {
      const double weight = model.weights[static_cast<std::size_t>(c * dim + j)] * deviation;
      CHECK(std::abs(gradient[static_cast<std::size_t>(c)] + l2 * weight) < 1e-6);
    }
  }
}

TEST_CASE("sparse rows give the fit of the same dense rows", "[core][logistic]") {
  // Columns of +1 and -1 in equal number are standardised already.
  const std::vector<Real> x{1, 1, 1, -1, -1, 1, -1, -1, 1, -1, -1, 1};
  const std::vector<Size> labels{1, 1, 0, 0, 1, 0};
  SparseRows rows{.cols = 2, .offsets = {0}, .columns = {}, .values = {}};
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      rows.columns.push_back(static_cast<NodeId>(j));
      rows.values.push_back(static_cast<double>(x[2 * i + j]));
    }
    rows.offsets.push_back(static_cast<Size>(rows.columns.size()));
  }
  const ConstMatrixView dense(x.data(), 6, 2);
  const auto a = fit_logistic_regression(dense, labels, 2), b = fit_logistic_regression(rows, labels, 2);
  for (std::size_t k = 0; k < 4; ++k) CHECK(a.weights[k] == Approx(b.weights[k]).margin(1e-6));
  CHECK(predict(a, dense) == predict(b, rows));
}

TEST_CASE("one thread and four fit the same bits", "[core][logistic]") {
  const Sample sample = random_sample(3000, 24, 2);
  LinearClassifier one, four;
  {
    const Threads threads(1);
    one = fit(sample, 2);
  }
  {
    const Threads threads(4);
    four = fit(sample, 2);
  }
  CHECK(one.weights == four.weights);
  CHECK(one.bias == four.bias);
}

TEST_CASE("iterations that run out are said to", "[core][logistic]") {
  const auto model = fit(random_sample(400, 6, 2), 2, {.max_iterations = 1});
  CHECK_FALSE(model.converged);
  CHECK(model.iterations == 1);
}

TEST_CASE("what cannot be fitted is named", "[core][logistic]") {
  Sample sample = random_sample(4, 2, 2);
  sample.labels = {0, 1, 1, 0};
  CHECK_THROWS_WITH(fit(sample, 1), "logistic-regression: got 1 classes; expected at least 2");
  CHECK_THROWS_WITH(fit(sample, 2, {.l2 = -1}), Catch::Contains("logistic-regression.l2: got -1"));
  sample.labels[2] = 2;
  CHECK_THROWS_WITH(fit(sample, 2), "logistic-regression: label 2 of row 2; expected one in 0 .. 1");
  sample.labels = {0, 1, 1};
  CHECK_THROWS_WITH(fit(sample, 2),
                    "logistic-regression: x has 4 rows but there are 3 labels; expected one a row");
  sample.labels = {0, 1, 1, 0};
  const LinearClassifier model = fit(sample, 2);
  CHECK_THROWS_WITH(predict(model, ConstMatrixView(sample.x.data(), 2, 4)),
                    "logistic-regression: x has 4 columns; expected 2, as in the fit");
  sample.x.data()[3] = std::numeric_limits<Real>::quiet_NaN();
  CHECK_THROWS_WITH(fit(sample, 2), "logistic-regression: row 1 of x is not finite; expected finite numbers");
  CHECK_THROWS_WITH(fit_logistic_regression(ConstMatrixView(sample.x.data(), 0, 2), {}, 2),
                    "logistic-regression: x has no rows; expected at least one");
}
