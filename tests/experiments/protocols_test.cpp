#include "tarn/experiments/graphs/protocols.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/config.hpp"

#include <catch2/catch.hpp>

using namespace tarn;
using Values = std::vector<double>;

TEST_CASE("the best epoch is the first or the last of several", "[experiments][protocols]") {
  const Values values{.5, .9, .7, .9, .1};
  CHECK(best_epoch(values, Better::higher, OnTie::earliest) == 2);
  CHECK(best_epoch(values, Better::higher, OnTie::latest) == 4);
  CHECK(best_epoch(values, Better::lower, OnTie::earliest) == 5);
  CHECK(best_epoch(values, Better::higher, Values{0, 2, 0, 1, 0}) == 4);
  CHECK(best_epoch(values, Better::higher, Values{0, 1, 0, 1, 0}) == 2);
  CHECK_THROWS_AS(best_epoch(values, Better::higher, Values{1}), ShapeError);
}

TEST_CASE("gin-cv takes one epoch for all folds, not each fold's own", "[experiments][protocols]") {
  // Each fold is best somewhere else; their mean is best at the second epoch, and again at the fourth.
  const std::vector<Values> curves{{.9, .8, .5, .8}, {.5, .8, .9, .8}, {.5, .8, .5, .8}};
  CHECK(common_best_epoch(curves, Better::higher) == 2);
  CHECK(common_best_epoch(curves, Better::lower) == 1);
  CHECK_THROWS_AS(common_best_epoch({{1, 2}, {1}}, Better::higher), ShapeError);
}

TEST_CASE("patience counts from the last value that was not worse", "[experiments][protocols]") {
  CHECK(!out_of_patience(Values{.5, .6, .6, .5}, Better::higher, 2));
  CHECK(out_of_patience(Values{.5, .6, .6, .5, .5}, Better::higher, 2));
  CHECK(!out_of_patience(Values{3, 2, 2, 2, 2}, Better::lower, 2));
  CHECK(out_of_patience(Values{1, 2}, Better::lower, 1));
  CHECK(!out_of_patience(Values{}, Better::lower, 1));
}

TEST_CASE("a grid has a point for every choice", "[experiments][protocols]") {
  const Value grid =
      parse_toml("batch = [32, 128]\nmodel.widths = [[64, 64], [32]]\nstop_on = [\"loss\"]", "grid");
  const std::vector<Value> points = grid_points(grid);
  REQUIRE(points.size() == 4);
  CHECK(point_text(points[0]) == "batch=32, model.widths=[64, 64], stop_on=loss");
  CHECK(point_text(points[1]) == "batch=32, model.widths=[32], stop_on=loss");
  CHECK(point_text(points[3]) == "batch=128, model.widths=[32], stop_on=loss");
  CHECK(grid_points(Value()).size() == 1);
  CHECK(point_text(grid_points(Value(Value::Table{}))[0]).empty());
  CHECK_THROWS_WITH(grid_points(parse_toml("model.conv = \"gin\"", "g.toml")),
                    "g.toml:1:7: grid.model.conv: got \"gin\"; expected a list of values to try");
  CHECK_THROWS_WITH(grid_points(parse_toml("batch = []", "g.toml")),
                    "g.toml:1:1: grid.batch: got []; expected a list of values to try");
}
