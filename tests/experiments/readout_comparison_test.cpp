#include "tarn/experiments/readouts/readout_comparison.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/experiments/readouts/readout_comparison_tables.hpp"
#include "tarn/experiments/report.hpp"
#include "tarn/experiments/run_record.hpp"

#include "experiments/experiment_run.hpp"
#include "experiments/killed_runs.hpp"
#include "experiments/markup.hpp"
#include "experiments/program_fixture.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace tarn;
using Catch::Contains;

namespace fs = std::filesystem;

namespace {

const std::vector<std::string> tiny = {"readouts=[\"mean\", \"adapool\", \"max\"]",
                                       "ratios=[0.2, 0.8]",
                                       "seeds=[0, 1]",
                                       "epochs=2",
                                       "stress.head_epochs=3",
                                       "stress.data.train=40",
                                       "stress.data.evaluation=20",
                                       "stress.seq_len=32",
                                       "stress.distance=2",
                                       "graphs.generate.graphs=30",
                                       "graphs.folds=3",
                                       "graphs.model.widths=[8, 8]"};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

TEST_CASE("a comparison of readouts gives the same results for any number of threads",
          "[experiments][readouts]") {
  const ScratchDirectory scratch;
  const ReadoutComparison comparison;
  const Value config = resolve(comparison, tiny);
  std::vector<Value> results;
  std::vector<std::string> pairs;
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    const fs::path run = scratch / std::to_string(count);
    const std::string printed = run_experiment(comparison, config, run);
    CHECK_THAT(printed, Contains("Readouts: accuracy in percent, tests and costs") &&
                            Contains("Left out: histograph. Reason: reads the history of all layers"));
    results.push_back(timeless_results(run));
    pairs.push_back(read_file(run / "pairs.csv"));
    CHECK(results.back() == results.front());
    CHECK(pairs.back() == pairs.front());
  }
  const Value::List& trials = *results[0].find("trials")->list();
  CHECK(trials.size() == 3 * (2 * 2 + 3));
  std::set<std::string> tasks;
  for (const Value& trial : trials) {
    tasks.insert(*trial.find("task")->string());
    CHECK(trial.find("accuracy")->number() >= 0.0);
    CHECK(*trial.find("parameters")->integer() > 0);
    CHECK(*trial.find("step_bytes")->integer() > 0);
    CHECK((trial.find("fold") != nullptr) == (*trial.find("task") == Value("graphs-demo")));
  }
  CHECK(tasks == std::set<std::string>{"graphs-demo", "stress-0.2", "stress-0.8"});
  // Three pairs in three tasks, and a line of titles.
  CHECK(std::count(pairs[0].begin(), pairs[0].end(), '\n') == 1 + 3 * 3);
}

TEST_CASE("an interrupted comparison of readouts ends with the same results", "[experiments][readouts]") {
  const ScratchDirectory scratch;
  const ReadoutComparison comparison;
  const Value config = resolve(comparison, tiny);
  check_interrupted_runs(comparison, config, scratch);
  CHECK(read_file(scratch / "again/pairs.csv") == read_file(scratch / "whole/pairs.csv"));
}

TEST_CASE("a comparison of readouts killed again and again ends with the same results",
          "[program][run][readouts][slow]") {
  const Program tarn;
  const auto arguments = [](const std::string& out) {
    Program::Arguments all{"run", "readouts", "--threads", "1", "--out", out};
    all.insert(all.end(), tiny.begin(), tiny.end());
    all.emplace_back("epochs=20");
    return all;
  };
  check_killed_runs(tarn, arguments, 6);
  CHECK(read_file(tarn / "killed/pairs.csv") == read_file(tarn / "whole/pairs.csv"));
}

TEST_CASE("a comparison of readouts is reported with its table and rank diagrams",
          "[experiments][readouts]") {
  const ScratchDirectory scratch;
  const ReadoutComparison comparison;
  run_experiment(comparison, resolve(comparison, tiny), scratch / "run");
  static_cast<void>(write_report({(scratch / "run").string()}, (scratch / "run").string()));
  const std::string csv = read_file(scratch / "run/table-1.csv");
  CHECK(
      csv.starts_with("readout,stress-0.2,stress-0.8,graphs-demo,mean rank,better than,worse than,open,"
                      "parameters,s/epoch,s/trial,MiB/step\n"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);
  CHECK_THAT(read_file(scratch / "run/report.md"),
             Contains("Holm corrects for all 9 pairs of this table") &&
                 Contains("a p below 0.25: the order of this table is a description, not a finding"));
  for (const char* file : {"ranks-1.svg", "ranks-2.svg", "ranks-3.svg", "folds-1.svg"}) {
    CHECK(markup_fault(read_file(scratch / "run/plots" / file)) == "");
  }
  CHECK_THAT(read_file(scratch / "run/plots/ranks-3.svg"),
             Contains("task graphs-demo") && Contains("adapool ("));
}

TEST_CASE("resolving a comparison of readouts fills in all tasks", "[experiments][readouts]") {
  const ReadoutComparison comparison;
  const Value plain = resolve(comparison, {});
  CHECK(plain.find("readouts")->list()->size() == fitting_readouts().size());
  CHECK(*plain.find_path("stress.epochs") == Value(10));
  CHECK(*plain.find_path("graphs.epochs") == Value(30));
  CHECK(*plain.find_path("stress.glot.tau") == Value(0.4));
  CHECK(plain.find_path("stress.ratios") == nullptr);
  CHECK(first_difference(comparison.resolve(plain), comparison.resolve({})).empty());
  const ReadoutComparisonPlan plan = ReadoutComparisonPlan::read(plain);
  CHECK(plan.stress->trials.size() == 3 * 5 * fitting_readouts().size());
  CHECK(plan.graphs->run.protocol == Protocol::repeated_cv);

  const Value own = resolve(
      comparison, {"tasks=[\"stress\"]", "readouts=[\"glot\"]", "glot.tau=0.7", "lr=0.1", "data.train=50"});
  CHECK(*own.find_path("stress.glot.tau") == Value(0.7));
  CHECK(*own.find_path("stress.lr") == Value(0.1));
  CHECK(*own.find_path("stress.data.train") == Value(50));
  CHECK(own.find("graphs") == nullptr);
}

TEST_CASE("a comparison of readouts says what is wrong with a configuration", "[experiments][readouts]") {
  const ReadoutComparison comparison;
  const auto message = [&](const std::vector<std::string>& arguments) {
    try {
      static_cast<void>(resolve(comparison, arguments));
      return std::string("no error");
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK_THAT(message({"tasks=[\"stres\"]"}), Contains("unknown task 'stres'; did you mean 'stress'?"));
  CHECK_THAT(message({"tasks=[]"}), Contains("readouts.tasks: got []; expected at least one"));
  CHECK_THAT(message({"tasks=[\"stress\", \"stress\"]"}), Contains("got 'stress' twice; expected each once"));
  CHECK_THAT(message({"readouts=[]"}), Contains("readouts.readouts: got []"));
  CHECK_THAT(message({"seeds=[]"}), Contains("readouts.seeds: got []"));
  CHECK_THAT(message({"readouts=[\"histograph\"]"}),
             Contains("'histograph' does not fit: reads the history of all layers"));
  CHECK_THAT(message({"readouts=[\"glott\"]"}), Contains("did you mean 'glot'?"));
  CHECK_THAT(
      message({"stress.ratios=[0.1]"}),
      Contains("command line: stress.ratios: stress.ratios: belongs to the comparison itself; expected "
               "ratios=..."));
  CHECK_THAT(message({"data.store=x.h5"}), Contains("unknown option 'store'"));
  CHECK_THAT(message({"ratioss=[0.1]"}), Contains("did you mean 'ratios'?"));
  CHECK_THAT(message({"stress=3"}), Contains("stress: got 3; expected a table"));
}

TEST_CASE("every set readout fits or says why it does not", "[experiments][readouts]") {
  const std::vector<std::string> fitting = fitting_readouts();
  for (const char* name : {"mean", "max", "first", "adapool", "glot"}) CHECK(contains(fitting, name));
  const std::vector<LeftOut> left_out = readouts_left_out();
  for (const std::string& name : readouts().names()) {
    const auto found = std::find_if(left_out.begin(), left_out.end(),
                                    [&](const LeftOut& one) { return one.readout == name; });
    CHECK(contains(fitting, name) == (found == left_out.end()));
    if (found != left_out.end()) CHECK(!found->reason.empty());
  }
}
