#include "tarn/experiments/comparison.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace tarn;
using Catch::Matchers::Contains;

namespace {

Value trial(const char* readout, Size seed, double accuracy, double ratio = 0.5) {
  Value v;
  v.set("readout", readout);
  v.set("ratio", ratio);
  v.set("seed", seed);
  v.set("accuracy", accuracy);
  return v;
}

}  // namespace

TEST_CASE("trials split into axes and metrics", "[experiments][trials]") {
  Value v = trial("glot", 1, 0.9);
  v.set("tau", 0.4);
  v.set("epochs_to_97", Value());
  v.set("bias", true);
  const TrialSet set = read_trials({v}, "results.json");
  CHECK(set.axes == std::vector<std::string>{"readout", "ratio", "seed", "bias"});
  CHECK(set.metrics == std::vector<std::string>{"accuracy", "tau"});
  const std::vector<std::string> named = {"tau"};
  CHECK(read_trials({v}, "results.json", named).metrics == std::vector<std::string>{"accuracy"});
}

TEST_CASE("a summary has one object per cell", "[experiments][trials]") {
  const Value summary = summarise_trials(
      read_trials({trial("mean", 0, 0.5), trial("mean", 1, 0.7), trial("max", 0, 0.4)}, "results.json"));
  REQUIRE(summary.list()->size() == 2);
  const Value& mean_cell = summary.list()->front();
  CHECK(mean_cell.find("seed") == nullptr);
  CHECK(*mean_cell.find("trials")->integer() == 2);
  CHECK(*mean_cell.find("accuracy_mean")->number() == Approx(0.6));
  CHECK(*mean_cell.find("accuracy_std")->number() == Approx(0.1414213562));
  CHECK(*mean_cell.find("accuracy_low")->number() == Approx(0.6 - 12.7062047362 * 0.1));
  CHECK(summary.list()->back().find("accuracy_std")->is_null());
}

TEST_CASE("right items survive packing", "[experiments][trials]") {
  const std::vector<Size> predictions = {1, 0, 1, 1, 0, 1}, labels = {1, 1, 1, 0, 0, 1};
  CHECK(pack_correct(predictions, labels) == "6:ac");
  CHECK(unpack_correct("6:ac") == std::vector<bool>{true, false, true, false, true, true});
  CHECK(unpack_correct("0:").empty());
  for (const char* broken : {"", "6", "x:ac", "6:a", "6:ag"}) {
    CHECK_THROWS_WITH(
        unpack_correct(broken),
        fmt::format("correct items: got \"{}\"; expected COUNT:HEX with a digit for every four items",
                    broken));
  }
  CHECK_THROWS_AS(pack_correct(predictions, std::vector<Size>{1}), ShapeError);
}

TEST_CASE("methods are paired by seed, whatever their order", "[experiments][comparison]") {
  const TrialSet set = read_trials({trial("mean", 1, 0.70), trial("mean", 0, 0.60), trial("mean", 2, 0.65),
                                    trial("glot", 0, 0.90), trial("glot", 1, 0.98), trial("glot", 3, 0.10)},
                                   "results.json");
  const std::vector<Comparison> comparisons = compare(set);
  REQUIRE(comparisons.size() == 1);
  const std::vector<PairedComparison> tests = test_methods(comparisons[0]);
  REQUIRE(tests.size() == 1);
  CHECK(comparisons[0].methods[tests[0].reference] == "glot");
  CHECK(tests[0].test.count == 2);
  CHECK(tests[0].test.mean_difference == Approx(-0.29));
  CHECK(*tests[0].test.statistic == Approx(-29));
  CHECK(tests[0].ranks.p == 0.5);
  CHECK(!tests[0].item_p);
}

TEST_CASE("columns ascend and axes that differ make groups of their own", "[experiments][comparison]") {
  Value other = trial("mean", 0, 0.5, 0.9);
  other.set("mode", "relational");
  const TrialSet set =
      read_trials({trial("mean", 0, 0.5, 0.9), trial("mean", 0, 0.5, 0.2), other}, "results.json");
  const std::vector<Comparison> comparisons = compare(set);
  REQUIRE(comparisons.size() == 2);
  CHECK(comparisons[0].column_title(0) == "0.2");
  CHECK(comparisons[0].column_title(1) == "0.9");
  CHECK(comparisons[1].title == "mode relational");
  const TrialSet none;
  CHECK(compare(none).empty());
}

TEST_CASE("the lowest loss is the best", "[experiments][comparison]") {
  Value::List trials;
  for (const double loss : {0.25, 0.75}) {
    Value v;
    v.set("readout", loss < 0.5 ? "good" : "bad");
    v.set("seconds", 3.0);
    v.set("loss", loss);
    trials.push_back(v);
  }
  const TrialSet set = read_trials(trials, "results.json");
  const Comparison comparison = compare(set).at(0);
  CHECK(comparison.metric == "loss");
  CHECK_THAT(headline_table(comparison).markdown(), Contains("**0.25") && !Contains("**0.75"));
  CHECK(is_lower_better("evaluation_loss"));
  CHECK(!is_lower_better("gloss"));
}

TEST_CASE("folds bring the corrected test", "[experiments][comparison]") {
  const double a[] = {.8947, .8421, .9474, .8421, .8947, .7895, .9474, .8947, .8889, .9444};
  const double b[] = {.8421, .8947, .8947, .7368, .8421, .7895, .8947, .8421, .8333, .8889};
  Value::List trials;
  for (Size fold = 0; fold < 10; ++fold) {
    for (const char* readout : {"glot", "mean"}) {
      Value v = trial(readout, 0, (readout[0] == 'g' ? b : a)[fold]);
      v.set("fold", fold);
      trials.push_back(v);
    }
  }
  const TrialSet set = read_trials(trials, "results.json");
  const std::vector<Comparison> comparisons = compare(set);
  const std::vector<PairedComparison> tests = test_methods(comparisons.at(0));
  CHECK(tests.at(0).test.corrected);
  CHECK(*tests.at(0).test.p == Approx(0.05280577552016787));
  CHECK_THAT(significance_table(comparisons[0], tests).text(), Contains("Nadeau & Bengio"));
}

TEST_CASE("items that only one model gets right are counted over the seeds", "[experiments][comparison]") {
  Value::List trials = {trial("glot", 0, 1), trial("mean", 0, 0.5), trial("glot", 1, 1),
                        trial("mean", 1, 0.5)};
  for (std::size_t i = 0; i < 4; ++i) trials[i].set("correct", i % 2 == 0 ? "4:f" : "4:a");
  const TrialSet set = read_trials(trials, "results.json");
  const PairedComparison test = test_methods(compare(set).at(0)).at(0);
  CHECK(test.wins == 0);
  CHECK(test.losses == 4);
  CHECK(*test.item_p == Approx(0.125));
  CHECK_THAT(result_tables_text(set), Contains("0 : 4") && Contains("McNemar"));
}

TEST_CASE("an undefined t is marked and explained", "[experiments][comparison]") {
  const TrialSet set = read_trials(
      {trial("glot", 0, 1), trial("glot", 1, 1), trial("mean", 0, 1), trial("mean", 1, 1)}, "results.json");
  const std::string text = result_tables_text(set);
  CHECK_THAT(text, Contains("1*") && Contains("t is undefined"));
}

namespace {

/// Accuracies of methods by data set, the same in every fold but for a shift.
TrialSet several_sets(const std::vector<std::vector<double>>& scores, Size folds = 3) {
  Value::List trials;
  for (std::size_t set = 0; set < scores.size(); ++set) {
    for (std::size_t m = 0; m < scores[set].size(); ++m) {
      for (Size fold = 0; fold < folds; ++fold) {
        Value v;
        v.set("dataset", fmt::format("SET{}", set));
        v.set("readout", fmt::format("m{}", m));
        v.set("fold", fold);
        v.set("run", fmt::format("run{}", set));
        v.set("accuracy", scores[set][m] + 0.01 * static_cast<double>(fold));
        trials.push_back(v);
      }
    }
  }
  return read_trials(trials, "results.json");
}

}  // namespace

TEST_CASE("methods keep their name over runs of different data sets", "[experiments][comparison]") {
  const TrialSet set = several_sets({{.5, .6}, {.7, .8}});
  const Comparison comparison = compare(set).at(0);
  CHECK(comparison.column_axis == "dataset");
  CHECK(comparison.methods == std::vector<std::string>{"m0", "m1"});
}

TEST_CASE("methods are ranked over data sets", "[experiments][comparison]") {
  const TrialSet set = several_sets({{.80, .82, .79}, {.70, .75, .70}, {.60, .66, .61}, {.90, .91, .85}});
  const Comparison comparison = compare(set).at(0);
  const RankedMethods ranked = rank_methods(comparison).value();
  CHECK(ranked.friedman.mean_ranks == std::vector<double>{2.375, 1, 2.625});
  CHECK(ranked.friedman.p == Approx(0.03813332654704519));
  REQUIRE(ranked.pairs.size() == 3);
  CHECK(ranked.pairs[0].ranks.p == 0.125);
  CHECK(ranked.pairs[0].adjusted_p == 0.375);
  CHECK_THAT(rank_table(comparison, ranked).text(),
             Contains("m1") && Contains("1.00") && Contains("chi-square 6.53"));
  CHECK_THAT(rank_test_table(comparison, ranked).text(), Contains("0.125 can be reached"));
  const TrialSet one = several_sets({{.5, .6}});
  CHECK(!rank_methods(compare(one).at(0)));
}

TEST_CASE("every pair can be tested, and false discoveries controlled", "[experiments][comparison]") {
  const TrialSet set = several_sets({{.5, .6, .7}}, 10);
  const Comparison comparison = compare(set).at(0);
  CHECK(test_methods(comparison).size() == 2);
  const auto all = test_methods(comparison, {.pairs = TestPairs::all});
  CHECK(all.size() == 3);
  const auto bh =
      test_methods(comparison, {.pairs = TestPairs::all, .correction = Correction::benjamini_hochberg});
  CHECK_THAT(significance_table(comparison, bh, Correction::benjamini_hochberg).text(),
             Contains("p (Benjamini-Hochberg)") && Contains("Benjamini-Hochberg corrects for the 3 tests"));
}

TEST_CASE("methods of one comparison must have the same folds", "[experiments][comparison][errors]") {
  TrialSet set = several_sets({{.5, .6}});
  CHECK_NOTHROW(require_same_folds(compare(set).at(0)));
  set.trials.pop_back();
  CHECK_THROWS_WITH(require_same_folds(compare(set).at(0)),
                    "comparison: m0 has fold 2 and m1 has not; expected the same folds of every method");
}

TEST_CASE("trials of a search do not stand beside those that were tested", "[experiments][comparison]") {
  Value::List trials = {trial("mean", 0, 0.5), trial("max", 0, 0.6)};
  for (Value& v : trials) v.set("stage", "test");
  Value search;
  search.set("readout", "mean");
  search.set("stage", "selection");
  search.set("validation_accuracy", 0.9);
  trials.push_back(search);
  const TrialSet set = read_trials(trials, "results.json");
  REQUIRE(compare(set).size() == 1);
  CHECK(compare(set)[0].title == "stage test");
}

TEST_CASE("a long run is compared as a short one", "[experiments][comparison]") {
  TrialSet set;
  std::vector<Value> lines;
  for (Size i = 0; i < 60000; ++i) {
    Value line = trial(i % 2 == 0 ? "glot" : "mean", i / 2, 0.5, 0.5);
    if (i % 2 == 0) line.set("graph", i % 4 == 0 ? "window" : "cosine");
    lines.push_back(std::move(line));
  }
  set = read_trials(lines, "metrics.jsonl");
  const std::vector<Comparison> comparisons = compare(set, "accuracy");
  REQUIRE(comparisons.size() == 1);
  CHECK(comparisons[0].methods == std::vector<std::string>{"glot (window)", "mean", "glot (cosine)"});
  CHECK(comparisons[0].cells[1][0].trials.size() == 30000);
}
