#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/experiments/retrieval/retrieval_toy.hpp"

#include "experiments/experiment_run.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> tiny = {"readouts=[\"mean\", \"x-pool\", \"query-topk\"]",
                                       "seeds=[0, 1]",
                                       "epochs=3",
                                       "batch=8",
                                       "data.train=40",
                                       "data.evaluation=20",
                                       "data.width=16"};

std::string message(const std::vector<std::string>& arguments) {
  try {
    static_cast<void>(resolve(RetrievalToy(), arguments));
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

double mean_recall(const Value& results, const char* readout) {
  double sum = 0, count = 0;
  for (const Value& trial : *results.find("trials")->list()) {
    if (*trial.find("readout") != Value(readout)) continue;
    sum += *trial.find("recall_1")->number();
    count += 1;
  }
  return sum / count;
}

}  // namespace

TEST_CASE("retrieval metrics count ranks of the own set", "[experiments][retrieval]") {
  // Ranks 1, 3, 2: the second query ties with the first set, which has the lower number.
  const std::vector<double> scores{0.9, 0.1, 0.2, 0.5, 0.5, 0.7, 0.0, 0.8, 0.3};
  const MetricSet metrics = diagonal_retrieval_metrics(scores);
  CHECK(metrics.at("recall_1") == Approx(1.0 / 3));
  CHECK(metrics.at("recall_5") == 1);
  CHECK(metrics.at("mrr") == Approx((1 + 1.0 / 3 + 1.0 / 2) / 3));
  CHECK(metrics.at("median_rank") == 2);
  CHECK(metrics.at("mean_rank") == 2);
  CHECK_THROWS_WITH(diagonal_retrieval_metrics({}), Contains("got 0 scores"));
  CHECK_THROWS_WITH(diagonal_retrieval_metrics(std::vector<double>{1, 2, 3}), Contains("got 3 scores"));
  CHECK_THROWS_WITH(diagonal_retrieval_metrics(std::vector<double>{NAN}),
                    Contains("query 0, set 0 scores nan"));
}

TEST_CASE("the retrieval toy gives the same results for any number of threads", "[experiments][retrieval]") {
  const ScratchDirectory scratch;
  const RetrievalToy toy;
  const Value config = resolve(toy, tiny);
  std::vector<Value> results;
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    const fs::path run = scratch / std::to_string(count);
    const std::string printed = run_experiment(toy, config, run);
    CHECK_THAT(printed, Contains("recall_1, percent") && Contains("guessing finds 5.0 %") &&
                            Contains("readouts that pool for every query find"));
    results.push_back(timeless_results(run));
    CHECK(results.back() == results.front());
  }
  CHECK(results[0].find("trials")->list()->size() == 6);
}

TEST_CASE("an interrupted retrieval toy ends with the same results", "[experiments][retrieval]") {
  const ScratchDirectory scratch;
  const RetrievalToy toy;
  std::vector<std::string> longer = tiny;
  longer.emplace_back("epochs=12");
  const Value config = resolve(toy, longer);
  check_interrupted_runs(toy, config, scratch);
}

TEST_CASE("who sees the query finds the set that a mean hides", "[experiments][retrieval][slow]") {
  const ScratchDirectory scratch;
  const RetrievalToy toy;
  run_experiment(
      toy,
      resolve(toy, {"readouts=[\"mean\", \"query-topk\"]", "seeds=[0]", "epochs=15", "data.train=300",
                    "data.evaluation=100", "data.min_rows=8", "data.max_rows=12"}),
      scratch / "run");
  const Value results = timeless_results(scratch / "run");
  CHECK(mean_recall(results, "query-topk") > 0.5);
  CHECK(mean_recall(results, "mean") < 0.3);
}

TEST_CASE("any readout of either kind scores sets in the retrieval toy", "[experiments][retrieval]") {
  const RetrievalSets sets = generate_retrieval_sets({.width = 16}, 5, "train");
  std::vector<std::string> names = fitting_readouts();
  for (const std::string& name : query_readouts().names()) names.push_back(name);
  for (const std::string& name : names) {
    RetrievalModel model(name, essential_options(name), 16);
    model.init(Rng(0));
    Tape tape;
    const ConstMatrixView cosines =
        model.similarities(tape, sets.rows.matrix(), sets.sets, sets.queries.matrix()).value();
    INFO(name);
    REQUIRE(cosines.rows == 5);
    REQUIRE(cosines.cols == 5);
    for (Size i = 0; i < 25; ++i) CHECK(std::abs(static_cast<double>(cosines.data[i])) <= 1.0001);
  }
  // The same cosines whether a readout gives vectors or scores itself.
  Value scores = essential_options("x-pool");
  scores.set("similarity_only", true);
  RetrievalModel plain("x-pool", essential_options("x-pool"), 16), direct("x-pool", scores, 16);
  plain.init(Rng(1));
  direct.init(Rng(1));
  Tape first, second;
  const ConstMatrixView a =
      plain.similarities(first, sets.rows.matrix(), sets.sets, sets.queries.matrix()).value();
  const ConstMatrixView b =
      direct.similarities(second, sets.rows.matrix(), sets.sets, sets.queries.matrix()).value();
  for (Size i = 0; i < 25; ++i)
    CHECK(static_cast<double>(a.data[i]) == Approx(static_cast<double>(b.data[i])).margin(1e-4));
}

TEST_CASE("the retrieval toy says what is wrong with a configuration", "[experiments][retrieval]") {
  CHECK_THAT(message({"readouts=[\"x-pol\"]"}), Contains("did you mean 'x-pool'?"));
  CHECK_THAT(message({"readouts=[]"}), Contains("retrieval-toy.readouts: got []"));
  CHECK_THAT(message({"seeds=[]"}), Contains("retrieval-toy.seeds: got []"));
  CHECK_THAT(message({"readouts=[\"weighted-mean\"]"}),
             Contains("'weighted-mean' does not fit: needs a weight of every row"));
  CHECK_THAT(message({"data.seed=3"}), Contains("data.seed: is a trial's own; expected seeds=[...]"));
  CHECK_THAT(message({"data.max_rows=2"}), Contains("expected at least min_rows"));
  CHECK_THAT(message({"x-pool.heads=5"}), Contains("heads"));
  CHECK_THAT(message({"batch=1"}), Contains("batch"));
  const Value plain = resolve(RetrievalToy(), {});
  CHECK(first_difference(RetrievalToy().resolve(plain), RetrievalToy().resolve({})).empty());
}
