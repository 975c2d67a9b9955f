#include "tarn/experiments/graphs/graph_classification.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/graphs/graph_store.hpp"
#include "tarn/experiments/graphs/protocols.hpp"
#include "tarn/experiments/graphs/splits.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/report.hpp"

#include "experiments/experiment_run.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace tarn;
using Arguments = std::vector<std::string>;

namespace {

namespace fs = std::filesystem;

GraphClassification experiment(const std::string& name = "graphs-demo") {
  for (const GraphPreset& preset : graph_presets()) {
    if (preset.name == name) return GraphClassification(preset);
  }
  throw std::logic_error(name);
}

Arguments with(const Arguments& more) {
  Arguments all = {"generate.graphs=60",
                   "generate.max_nodes=20",
                   "epochs=3",
                   "folds=3",
                   "batch=16",
                   "model.widths=[8, 8]",
                   "model.head_hidden=8",
                   "readouts=[\"sum\", \"histograph\", \"edge-free\"]"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// Finished trials of a run in which `axis` is `value`.
std::vector<Value> trials_where(const Value& results, const std::string& axis, const Value& value) {
  std::vector<Value> found;
  for (const Value& trial : *results.find("trials")->list()) {
    const Value* own = trial.find(axis);
    if (own != nullptr && *own == value) found.push_back(trial);
  }
  return found;
}

double number(const Value& trial, const std::string& name) {
  const Value* value = trial.find(name);
  REQUIRE(value != nullptr);
  return value->number().value();
}

std::vector<Value> epoch_lines(const fs::path& run) {
  return parse_json_lines(read_file(run / "metrics.jsonl"), "metrics.jsonl");
}

}  // namespace

TEST_CASE("graph runs give the same results for any number of threads", "[experiments][graph-run][slow]") {
  const ScratchDirectory scratch;
  for (const char* protocol :
       {"protocol=gin-cv", "protocol=repeated-cv", "protocol=holdout", "protocol=fair"}) {
    const GraphClassification demo = experiment();
    const Value config = resolve(demo, with({protocol, "readouts=[\"sum\", \"edge-free\"]",
                                             "grid.batch=[8, 16]", "retrain=2", "patience=2"}));
    std::vector<Value> results;
    for (const int count : {1, 2, 3}) {
      const Threads threads(count);
      const fs::path run = scratch / (std::string(protocol) + std::to_string(count));
      const std::string printed = run_experiment(demo, config, run);
      CHECK(printed.find("edge-free") != std::string::npos);
      results.push_back(timeless_results(run));
      CHECK(results.back() == results.front());
    }
    CHECK(*results[0].find("finished") == Value(true));
  }
}

TEST_CASE("an interrupted graph run ends with the same results", "[experiments][graph-run][slow]") {
  const ScratchDirectory scratch;
  const GraphClassification demo = experiment();
  const Value config = resolve(demo, with({"protocol=gin-cv", "epochs=20"}));
  check_interrupted_runs(demo, config, scratch);
}

TEST_CASE("gin-cv reads every fold at the epoch with the best mean", "[experiments][graph-run]") {
  const ScratchDirectory scratch;
  const GraphClassification demo = experiment();
  run_experiment(demo, resolve(demo, with({"protocol=gin-cv", "epochs=6"})), scratch / "run");
  const Value results = timeless_results(scratch / "run");
  for (const char* readout : {"sum", "histograph", "edge-free"}) {
    std::map<double, std::vector<double>> curves;
    for (const Value& line : epoch_lines(scratch / "run")) {
      if (*line.find("readout") == Value(readout))
        curves[number(line, "fold")].push_back(number(line, "accuracy"));
    }
    REQUIRE(curves.size() == 3);
    std::vector<std::vector<double>> lists;
    for (const auto& [fold, curve] : curves) lists.push_back(curve);
    const Size epoch = common_best_epoch(lists, Better::higher);
    for (const Value& trial : trials_where(results, "readout", Value(readout))) {
      const std::vector<double>& curve = curves[number(trial, "fold")];
      CHECK(*trial.find("epoch") == Value(epoch));
      CHECK(number(trial, "accuracy") == curve[static_cast<std::size_t>(epoch - 1)]);
      CHECK(number(trial, "diagnostic_best_accuracy") == *std::max_element(curve.begin(), curve.end()));
    }
  }
  const std::string notes = results.find("notes")->text();
  CHECK(notes.find("overstates") != std::string::npos);
  static_cast<void>(write_report({(scratch / "run").string()}, (scratch / "run").string()));
  const std::string page = read_file(scratch / "run" / "report.html");
  for (const char* text : {"gin-cv on chords", "Pale: single folds", "overstates", "edge-free"}) {
    CHECK(page.find(text) != std::string::npos);
  }
  CHECK(read_file(scratch / "run" / "table-1.csv").find("sum,") != std::string::npos);
}

TEST_CASE("fair chooses without the test, trains again and averages", "[experiments][graph-run]") {
  const ScratchDirectory scratch;
  const GraphClassification demo = experiment();
  run_experiment(demo,
                 resolve(demo, with({"protocol=fair", "readouts=[\"sum\"]", "grid.batch=[8, 40]",
                                     "grid.lr=[0.01, 1e-5]", "epochs=8", "patience=3", "retrain=2"})),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  const std::vector<Value> selection = trials_where(results, "stage", Value("selection")),
                           retrained = trials_where(results, "stage", Value("retrain")),
                           tests = trials_where(results, "stage", Value("test"));
  CHECK(selection.size() == 3 * 4);
  CHECK(retrained.size() == 3 * 2);
  REQUIRE(tests.size() == 3);
  for (const Value& line : epoch_lines(scratch / "run")) {
    const bool searches = *line.find("stage") == Value("selection");
    CHECK((line.find("accuracy") == nullptr) == searches);
    CHECK(line.find("validation_accuracy") != nullptr);
  }
  for (const Value& test : tests) {
    double best = -1, chosen = -1, sum = 0;
    for (const Value& point : selection) {
      if (*point.find("fold") != *test.find("fold")) continue;
      if (number(point, "validation_accuracy") > best) {
        best = number(point, "validation_accuracy");
        chosen = number(point, "point");
      }
    }
    for (const Value& model : retrained) {
      if (*model.find("fold") != *test.find("fold")) continue;
      CHECK(number(model, "retrain_chosen_point") == chosen);
      sum += number(model, "retrain_accuracy");
    }
    CHECK(number(test, "accuracy") == Approx(sum / 2));
  }
  // Early stopping by the validation loss: the best epoch, and no more than `patience` behind it.
  for (const Value& model : retrained) {
    CHECK(number(model, "retrain_epochs") - number(model, "retrain_epoch") <= 3);
  }
}

TEST_CASE("holdout tests at the epoch of the best validation", "[experiments][graph-run]") {
  const ScratchDirectory scratch;
  GraphRecords records = generate_chord_graphs({.graphs = 60, .max_nodes = 20});
  Fold fold;
  for (Size g = 0; g < 60; ++g) (g < 36 ? fold.train : g < 48 ? fold.validation : fold.test).push_back(g);
  records.splits = {{"scaffold", "", {fold}}};
  write_graph_store(scratch / "set.h5", records);
  const GraphClassification graphs = experiment("graphs");
  run_experiment(graphs,
                 resolve(graphs, {"data.path=" + (scratch / "set.h5").string(), "protocol=holdout",
                                  "epochs=5", "seeds=[3, 4]", "readouts=[\"mean\"]", "model.widths=[8]"}),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  REQUIRE(results.find("trials")->list()->size() == 2);
  for (const Value& trial : *results.find("trials")->list()) {
    std::vector<double> validation, test;
    for (const Value& line : epoch_lines(scratch / "run")) {
      if (*line.find("seed") != *trial.find("seed")) continue;
      validation.push_back(number(line, "validation_accuracy"));
      test.push_back(number(line, "accuracy"));
    }
    const Size epoch = best_epoch(validation, Better::higher, OnTie::earliest);
    CHECK(*trial.find("epoch") == Value(epoch));
    CHECK(number(trial, "accuracy") == test[static_cast<std::size_t>(epoch - 1)]);
    CHECK(trial.find("fold") == nullptr);
  }
}

TEST_CASE("a run keeps its folds and refuses others", "[experiments][graph-run][errors]") {
  const ScratchDirectory scratch;
  const GraphRecords records = generate_chord_graphs({.graphs = 40, .max_nodes = 20});
  write_graph_store(scratch / "set.h5", records);
  const std::vector<SplitLists> mine = {{"mine", "", stratified_folds(40, {}, 4, 9)}},
                                others = {{"mine", "", stratified_folds(40, {}, 4, 10)}};
  write_file_atomically(scratch / "splits.json", write_split_json("chords", 40, mine));
  const GraphClassification graphs = experiment("graphs");
  const Value config = resolve(graphs, {"data.path=" + (scratch / "set.h5").string(),
                                        "data.splits=" + (scratch / "splits.json").string(), "split=mine",
                                        "epochs=1", "readouts=[\"sum\"]", "model.widths=[8]"});
  run_experiment(graphs, config, scratch / "run");
  CHECK(read_split_json(scratch / "run" / "splits.json", 40)[0].folds == mine[0].folds);
  CHECK_NOTHROW(run_experiment(graphs, config, scratch / "run"));
  write_file_atomically(scratch / "splits.json", write_split_json("chords", 40, others));
  CHECK_THROWS_WITH(run_experiment(graphs, config, scratch / "run"),
                    Catch::Contains("splits.json: holds other folds than the set gives now"));
  Value unknown = config;
  unknown.set("split", "yours");
  CHECK_THROWS_WITH(run_experiment(graphs, unknown, scratch / "unknown"),
                    Catch::Contains("split: chords has no split 'yours'") && Catch::Contains("mine"));
}

TEST_CASE("plain split folders are read, too", "[experiments][graph-run]") {
  const ScratchDirectory scratch;
  write_graph_store(scratch / "set.h5", generate_chord_graphs({.graphs = 40, .max_nodes = 20}));
  write_split_folder(scratch / "10fold_idx", {"", "", stratified_folds(40, {}, 4, 1)});
  const GraphClassification graphs = experiment("graphs");
  run_experiment(graphs,
                 resolve(graphs, {"data.path=" + (scratch / "set.h5").string(),
                                  "data.splits=" + (scratch / "10fold_idx").string(), "split=10fold_idx",
                                  "epochs=1", "readouts=[\"sum\"]", "model.widths=[8]"}),
                 scratch / "run");
  CHECK(timeless_results(scratch / "run").find("trials")->list()->size() == 4);
}

TEST_CASE("the embedded graphs need their edges: the model without them guesses",
          "[experiments][graph-run][slow]") {
  const ScratchDirectory scratch;
  const GraphClassification demo = experiment();
  run_experiment(demo, resolve(demo, {}), scratch / "run");
  const Value results = timeless_results(scratch / "run");
  for (const Value& cell : *results.find("summary")->list()) {
    const std::string readout = *cell.find("readout")->string();
    INFO(readout);
    if (readout == edge_free) {
      CHECK(number(cell, "accuracy_mean") == Approx(0.5).margin(0.05));
    } else {
      CHECK(number(cell, "accuracy_mean") > 0.95);
    }
  }
}
