#include "tarn/core/errors.hpp"
#include "tarn/experiments/plot/interval_plot.hpp"
#include "tarn/experiments/plot/line_chart.hpp"
#include "tarn/experiments/plot/svg.hpp"
#include "tarn/experiments/plot/token_pictures.hpp"

#include "experiments/markup.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using namespace tarn::plot;
using Catch::Matchers::Contains;

TEST_CASE("an axis has round ticks inside its range", "[experiments][plot]") {
  const Axis axis(0.2, 0.9, 0, 100);
  const std::vector<double> ticks = axis.ticks(8);
  REQUIRE(ticks.size() == 8);
  CHECK(ticks.front() == Approx(0.2));
  CHECK(ticks.back() == Approx(0.9));
  CHECK(axis.label(ticks[1], 8) == "0.3");
  CHECK(axis.pixel(0.55) == Approx(50));
  CHECK(Axis(40, 100, 300, 0).label(60, 6) == "60");
}

TEST_CASE("an axis without extent is widened", "[experiments][plot]") {
  const Axis axis(100, 100, 0, 100);
  CHECK(axis.pixel(100) == Approx(50));
  CHECK(std::isfinite(Axis(0, 0, 0, 1).pixel(0)));
  CHECK(std::isfinite(Axis(5, 5, 0, 1, Scale::logarithmic).pixel(5)));
}

TEST_CASE("a logarithmic axis puts decades at equal distances", "[experiments][plot]") {
  const Axis axis(10, 10000, 0, 300, Scale::logarithmic);
  CHECK(axis.pixel(100) == Approx(100));
  CHECK(axis.pixel(1000) == Approx(200));
  CHECK(axis.label(10000, 8) == "10k");
}

TEST_CASE("a line chart draws its lines, bands and names", "[experiments][plot]") {
  LineChart chart{.title = "a < b & c", .x_label = "ratio", .y_label = "accuracy"};
  chart.series.push_back({"glot <2>", {0.2, 0.9}, {90, 95}, {88, 94}, {92, 96}, 0});
  chart.series.push_back({"broken", {0.2, 0.5, 0.9}, {50, NAN, 60}, {}, {}, 1});
  chart.reference = 50;
  chart.reference_name = "chance";
  const std::string svg = draw(chart);
  CHECK(markup_fault(svg) == "");
  CHECK_THAT(svg, Contains("a &lt; b &amp; c"));
  CHECK_THAT(svg, Contains("glot &lt;2&gt;"));
  CHECK_THAT(svg, Contains("chance"));
  CHECK_THAT(svg, Contains("fill-opacity=\"0.12\""));
  CHECK_THAT(svg, !Contains("nan"));
}

TEST_CASE("a chart of errors goes by decades where all are above zero", "[experiments][plot]") {
  LineChart chart{.title = "errors", .x_label = "nside", .y_label = "error", .series = {}};
  chart.series.push_back({.name = "a", .x = {1, 2, 3}, .y = {0.01, 1, 100}, .low = {}, .high = {}});
  chart.y_scale = Scale::logarithmic;
  const std::string by_decades = draw(chart);
  for (const char* label : {">0.01<", ">0.1<", ">1<", ">10<", ">100<"})
    CHECK_THAT(by_decades, Contains(label));
  chart.series[0].y[0] = 0;
  const std::string linear = draw(chart);
  CHECK_THAT(linear, Contains(">40<") && !Contains(">0.1<"));
}

TEST_CASE("a chart without points says so", "[experiments][plot]") {
  LineChart chart{.title = "empty"};
  chart.series.push_back({"nothing", {1}, {NAN}, {}, {}, 0});
  CHECK_THAT(draw(chart), Contains("no finished points yet"));
  CHECK(markup_fault(draw(chart)) == "");
}

TEST_CASE("an interval plot cuts wide intervals at its limits", "[experiments][plot]") {
  IntervalPlot plot{.title = "differences", .x_label = "points", .reference = 0, .limits = Interval{-40, 40}};
  plot.rows.push_back({"ratio 0.9", std::nullopt, std::nullopt, 0});
  plot.rows.push_back({"mean", -30.0, Interval{-90, 30}, 1});
  plot.rows.push_back({"max", -20.0, Interval{-25, -15}, 2});
  const std::string svg = draw(plot);
  CHECK(markup_fault(svg) == "");
  CHECK_THAT(svg, Contains("ratio 0.9"));
  CHECK_THAT(svg, !Contains("-90"));
  CHECK(markup_fault(draw(IntervalPlot{.title = "none"})) == "");
}

TEST_CASE("a heat map marks needle words in red", "[experiments][plot]") {
  const Tokens tokens{{"[CLS]", "<unk>", "keys"}, {2}, {0}};
  const std::string svg = draw_heat_map("cosine", tokens, {{1, 0, .2}, {0, 1, .3}, {.2, .3, 1}});
  CHECK(markup_fault(svg) == "");
  CHECK_THAT(svg, Contains("font-weight=\"bold\">keys</text>"));
  CHECK_THAT(svg, Contains("#C00000"));
  CHECK_THAT(svg, Contains("&lt;unk&gt;"));
  CHECK_THAT(svg, Contains(viridis(1)));
  CHECK_THROWS_WITH(draw_heat_map("cosine", tokens, {{1, 0, 0}}),
                    "heat map: got 1 rows for 3 tokens; expected a square matrix, one row per token");
}

TEST_CASE("token weights are drawn as one strip per readout", "[experiments][plot]") {
  const Tokens tokens{{"the", "not", "keys"}, {1, 2}, {}};
  const std::string svg =
      draw_token_weights("weights", tokens, {{"glot", {.1, .6, .3}}, {"mean", {0, 0, 0}}});
  CHECK(markup_fault(svg) == "");
  CHECK_THAT(svg, Contains(">glot</text>"));
  CHECK_THAT(svg, !Contains("nan"));
  CHECK_THROWS_AS(draw_token_weights("weights", tokens, {{"glot", {.1}}}), ShapeError);
  CHECK_THROWS_WITH(draw_token_weights("weights", tokens, {{"glot", {.1}}}),
                    "token weights of glot: got 1 for 3 tokens; expected one per token");
}

TEST_CASE("a line chart grows with its legend", "[experiments][plot]") {
  plot::LineChart chart{.title = "many", .height = 300};
  for (int i = 0; i < 30; ++i) chart.series.push_back({.name = "line", .x = {0, 1}, .y = {0, 1}});
  CHECK_THAT(draw(chart), Contains("height=\"608\""));
}

TEST_CASE("viridis runs from violet to yellow", "[experiments][plot]") {
  CHECK(viridis(0) == "#440154");
  CHECK(viridis(1) == "#fde725");
  CHECK(viridis(-3) == viridis(0));
  CHECK(viridis(9) == viridis(1));
}
