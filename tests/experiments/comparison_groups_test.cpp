#include "tarn/experiments/comparison_groups.hpp"

#include "tarn/experiments/plot/critical_difference.hpp"
#include "tarn/experiments/rank_figures.hpp"

#include "experiments/markup.hpp"
#include <catch2/catch.hpp>

using namespace tarn;
using Catch::Contains;

namespace {

/// Scores[method][seed] of one column.
TrialSet trials_of(const std::vector<std::pair<std::string, std::vector<double>>>& scores) {
  Value::List list;
  for (const auto& [readout, values] : scores) {
    for (std::size_t seed = 0; seed < values.size(); ++seed) {
      Value trial;
      trial.set("readout", readout);
      trial.set("task", "toy");
      trial.set("seed", static_cast<Size>(seed));
      trial.set("accuracy", values[seed]);
      list.push_back(std::move(trial));
    }
  }
  return read_trials(list, "trials");
}

/// Three methods that rank alike in every seed: b and c differ by chance, a is far above both.
const std::vector<std::pair<std::string, std::vector<double>>> clear_leader = {
    {"b", {0.60, 0.63, 0.58, 0.61, 0.60}},
    {"a", {0.95, 0.97, 0.94, 0.96, 0.95}},
    {"c", {0.59, 0.57, 0.58, 0.60, 0.50}}};

}  // namespace

TEST_CASE("methods are ranked over the repeats that all have", "[experiments][comparison]") {
  std::vector<std::pair<std::string, std::vector<double>>> scores = clear_leader;
  scores[2].second.pop_back();
  const TrialSet trials = trials_of(scores);
  const Comparison comparison = compare(trials, "accuracy").front();
  const PairedScores paired = paired_scores(comparison, 0);
  REQUIRE(paired.values.size() == 4);
  CHECK(paired.values[0] == std::vector<double>{0.60, 0.95, 0.59});
  const std::vector<RankedColumn> ranked = rank_columns(comparison, {});
  REQUIRE(ranked.size() == 1);
  CHECK(ranked[0].repeats == 4);
  CHECK(ranked[0].methods == std::vector<std::size_t>{1, 0, 2});
  // b and c tie once: (2 + 2 + 2.5 + 2) / 4.
  CHECK(ranked[0].mean_ranks[0] == 1);
  CHECK(ranked[0].mean_ranks[1] == Approx(2.125));
  CHECK(ranked[0].mean_ranks[2] == Approx(2.875));
}

TEST_CASE("groups join neighbours that no test tells apart", "[experiments][comparison]") {
  const TrialSet trials = trials_of(clear_leader);
  const Comparison comparison = compare(trials, "accuracy").front();
  const auto tests = test_methods(comparison, {.pairs = TestPairs::all});
  const RankedColumn ranked = rank_columns(comparison, tests).front();
  CHECK(ranked.groups == std::vector<std::pair<std::size_t, std::size_t>>{{1, 2}});
  // Without any test everything stays together; at a level that nothing reaches, too.
  using Groups = std::vector<std::pair<std::size_t, std::size_t>>;
  CHECK(rank_columns(comparison, {}).front().groups == Groups{{0, 2}});
  CHECK(rank_columns(comparison, tests, 1e-12).front().groups == Groups{{0, 2}});
  CHECK(rank_columns(comparison, tests, 1.1).front().groups.empty());

  const std::vector<std::vector<Verdicts>> verdicts = count_verdicts(comparison, tests);
  CHECK(verdicts[1][0].better == 2);
  CHECK(verdicts[1][0].open == 0);
  CHECK(verdicts[0][0].worse == 1);
  CHECK(verdicts[0][0].open == 1);
  CHECK(verdicts[2][0].worse == 1);
}

TEST_CASE("groups may overlap", "[experiments][comparison]") {
  const TrialSet trials = trials_of({{"a", {0.9, 0.9, 0.9}}, {"b", {0.8, 0.8, 0.8}}, {"c", {0.7, 0.7, 0.7}}});
  const Comparison comparison = compare(trials, "accuracy").front();
  PairedComparison apart{.column = 0, .method = 0, .reference = 2};
  apart.adjusted_p = 0.01;
  const RankedColumn ranked = rank_columns(comparison, {apart}).front();
  CHECK(ranked.groups == std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {1, 2}});
}

TEST_CASE("one repeat or one method is not ranked", "[experiments][comparison]") {
  const TrialSet one = trials_of({{"a", {0.9}}, {"b", {0.8}}});
  CHECK(rank_columns(compare(one, "accuracy").front(), {}).empty());
  const TrialSet alone = trials_of({{"a", {0.9, 0.8}}});
  CHECK(rank_columns(compare(alone, "accuracy").front(), {}).empty());
  CHECK(critical_difference_diagrams(compare(one, "accuracy")).empty());
}

TEST_CASE("a rank diagram has an axis, names and a bar per group", "[experiments][plot]") {
  const TrialSet trials = trials_of(clear_leader);
  const std::vector<Figure> figures = critical_difference_diagrams(compare(trials, "accuracy"));
  REQUIRE(figures.size() == 1);
  CHECK(figures[0].file == "ranks-1.svg");
  CHECK(markup_fault(figures[0].svg) == "");
  CHECK_THAT(figures[0].svg, Contains("a (1.0)") && Contains("b (2.1)") && Contains("stroke-width=\"4\""));
  CHECK_THAT(figures[0].caption, Contains("Mean ranks over 5 repeats") && Contains("Holm over 3 tests"));
  const std::string empty =
      draw(plot::CriticalDifference{.title = "none", .names = {}, .ranks = {}, .groups = {}});
  CHECK(markup_fault(empty) == "");
}
