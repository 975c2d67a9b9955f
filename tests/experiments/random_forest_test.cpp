#include "tarn/experiments/mesh/random_forest.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/mesh/shapes.hpp"
#include "tarn/experiments/mesh/mesh_baselines.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace tarn;
using Catch::Contains;

namespace {

struct Points {
  std::vector<double> x;
  std::vector<Size> labels;
};

/// Three classes by the angle of two coordinates, and two coordinates of noise.
Points sectors(Size count, std::uint64_t seed) {
  Points points;
  const Rng rng(seed);
  for (Size i = 0; i < count; ++i) {
    for (std::uint64_t k = 0; k < 4; ++k)
      points.x.push_back(rng.normal(4 * static_cast<std::uint64_t>(i) + k));
    const double angle = std::atan2(points.x[points.x.size() - 3], points.x[points.x.size() - 4]);
    points.labels.push_back(angle < -1 ? 0 : angle < 1 ? 1 : 2);
  }
  return points;
}

double share_right(const std::vector<Size>& predictions, const std::vector<Size>& labels) {
  double right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i];
  return right / static_cast<double>(labels.size());
}

}  // namespace

TEST_CASE("a forest learns classes that no single coordinate tells", "[experiments][forest]") {
  const Points train = sectors(400, 1), test = sectors(400, 2);
  const RandomForest forest(train.x, 4, train.labels, 3, {.trees = 100}, Rng(3));
  CHECK(share_right(forest.predict(test.x), test.labels) > 0.9);
  const RandomForest one(train.x, 4, train.labels, 3, {.trees = 1}, Rng(3));
  CHECK(share_right(forest.predict(train.x), train.labels) == 1);
  CHECK(share_right(one.predict(train.x), train.labels) < 1);
}

TEST_CASE("a forest is the same for any number of threads and its own for a seed", "[experiments][forest]") {
  const Points train = sectors(60, 1), test = sectors(200, 2);
  std::vector<std::vector<Size>> predictions;
  for (const int count : {1, 2, 7}) {
    const Threads threads(count);
    predictions.push_back(RandomForest(train.x, 4, train.labels, 3, {.trees = 30}, Rng(3)).predict(test.x));
    CHECK(predictions.back() == predictions.front());
  }
  CHECK(RandomForest(train.x, 4, train.labels, 3, {.trees = 30}, Rng(4)).predict(test.x) != predictions[0]);
}

TEST_CASE("a forest of equal rows says the class that most have", "[experiments][forest]") {
  const std::vector<double> x(12, 1.0);
  const RandomForest forest(x, 2, std::vector<Size>{2, 2, 2, 2, 0, 1}, 3, {.trees = 50}, Rng(1));
  CHECK(forest.predict(std::vector<double>{1, 1, 5, -5}) == std::vector<Size>{2, 2});
}

TEST_CASE("a forest refuses what it cannot use", "[experiments][forest][errors]") {
  const std::vector<double> x{1, 2, 3, 4};
  const auto grow = [&](std::span<const double> rows, std::vector<Size> labels) {
    return RandomForest(rows, 2, labels, 2, {.trees = 1}, Rng(1));
  };
  CHECK_THROWS_WITH(grow(x, {0}), "random forest: 4 numbers for 1 rows of 2; expected one row per label");
  CHECK_THROWS_WITH(grow({}, {}), "random forest: got no rows; expected at least one");
  CHECK_THROWS_WITH(grow(x, {0, 2}), "random forest: label 2 of row 1; expected 0 to 1");
  const std::vector<double> broken{1, 2, 3, std::numeric_limits<double>::infinity()};
  CHECK_THROWS_WITH(grow(broken, {0, 1}), Contains("number 1 of row 1 is inf; expected finite numbers"));
  CHECK_THROWS_WITH(grow(x, {0, 1}).predict(std::vector<double>{1}),
                    Contains("1 numbers; expected rows of 2"));
}

TEST_CASE("statistics of a mesh are mean, deviation and quantiles of eight channels",
          "[experiments][forest][mesh]") {
  const std::vector<double> flat = mesh_statistics(make_grid(2, 2));
  REQUIRE(flat.size() == 56);
  // All eight faces have an eighth of the area, all pairs lie flat.
  CHECK(flat[0] == Approx(0.125));
  CHECK(flat[1] == Approx(0).margin(1e-7));
  for (std::size_t k = 2; k < 7; ++k) CHECK(flat[k] == Approx(0.125));
  CHECK(flat[7] == Approx(3.14159265));
  CHECK(flat[11] == Approx(3.14159265));
  // Ratios k of inner edges: sides 1 / 2 over height, diagonals of two legs.
  CHECK(flat[14] > 1);
  const TriangleMesh one{{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}, {{0, 1, 2}}};
  const std::vector<double> single = mesh_statistics(one);
  CHECK(single[0] == 1);
  for (std::size_t k = 7; k < 56; ++k) CHECK(single[k] == 0);
}
