#include "tarn/experiments/run_directory.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/json.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

using namespace tarn;

namespace {

namespace fs = std::filesystem;

Value config() {
  return parse_toml("experiment = \"toy\"\nepochs = 3\nlr = 1.0\nratios = [0.5, 0.9]\n[glot]\ntau = 0.4\n",
                    "");
}

std::vector<Value> plan() {
  std::vector<Value> axes;
  for (const double ratio : {0.5, 0.9}) {
    for (const Size seed : {0, 1}) {
      Value one;
      one.set("readout", "mean");
      one.set("ratio", ratio);
      one.set("seed", seed);
      axes.push_back(std::move(one));
    }
  }
  return axes;
}

Value entry(std::string_view key, Value value) {
  Value result;
  result.set(key, std::move(value));
  return result;
}

RunSummary summary() {
  return {.experiment = "toy", .metric = "accuracy", .axes = {}, .notes = {"a note"}, .warnings = {}};
}

/// A stand-in for an experiment: three epochs for each trial, a checkpoint (a file with the number of its
/// epoch) after each line. Dies after `steps` steps, a step being a line or a checkpoint.
class ToyRun {
 public:
  ToyRun(const fs::path& path, int steps) : run_(path, config()), steps_(steps) {}

  void go() {
    run_.restore(plan(), [&](const Value& axes) { return checkpoint(axes); });
    for (const Value& axes : plan()) {
      if (run_.finished(axes) != nullptr) continue;
      for (Size epoch = static_cast<Size>(run_.epochs(axes).size()) + 1; epoch <= 3; ++epoch) {
        Value record = entry("epoch", epoch);
        record.set("accuracy", score(axes, epoch));
        run_.add_epoch(axes, record);
        step();
        write_file_atomically(place(axes), std::to_string(epoch));
        step();
      }
      run_.finish_trial(axes, entry("accuracy", score(axes, 3)));
      step();
    }
    run_.finish(plan(), summary());
  }

 private:
  static double score(const Value& axes, Size epoch) {
    return *axes.find("ratio")->number() / 3 +
           static_cast<double>(epoch * (*axes.find("seed")->integer() + 1));
  }
  fs::path place(const Value& axes) const {
    fs::create_directories(run_.checkpoints(axes));
    return run_.checkpoints(axes) / "last";
  }
  Size checkpoint(const Value& axes) const {
    return fs::exists(place(axes)) ? std::stoll(read_file(place(axes))) : 0;
  }
  void step() {
    if (steps_-- == 0) ::_exit(9);
  }

  RunDirectory run_;
  int steps_;
};

/// The toy run in a process of its own; its exit status.
int run_in_child(const fs::path& path, int steps) {
  const pid_t child = ::fork();
  if (child == 0) {
    ToyRun(path, steps).go();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

std::vector<std::string> columns(const fs::path& path, const std::string& table) {
  return h5::File::open(path).group(table).children();
}

}  // namespace

TEST_CASE("a run that dies after any kind of step goes on and ends with the same files", "[experiments][run]") {
  const ScratchDirectory scratch;
  REQUIRE(run_in_child(scratch / "whole", -1) == 0);
  // A trial has seven steps: going by three meets each of them once, in different trials.
  for (int steps = 0; steps < 21; steps += 3) {
    INFO("dies after step " << steps);
    const fs::path path = scratch / ("killed" + std::to_string(steps));
    REQUIRE(run_in_child(path, steps) == 9);
    REQUIRE(run_in_child(path, -1) == 0);
    for (const char* file : {"results.json", "metrics.jsonl", "config.toml"}) {
      CHECK(read_file(path / file) == read_file(scratch / "whole" / file));
    }
  }
}

TEST_CASE("a run that dies again and again still ends the same", "[experiments][run]") {
  const ScratchDirectory scratch;
  REQUIRE(run_in_child(scratch / "whole", -1) == 0);
  int runs = 1;
  while (run_in_child(scratch / "killed", 2) == 9) ++runs;
  CHECK(runs > 5);
  CHECK(read_file(scratch / "killed/results.json") == read_file(scratch / "whole/results.json"));
}

TEST_CASE("a finished run holds its results as JSON and as columns", "[experiments][run]") {
  const ScratchDirectory scratch;
  ToyRun(scratch / "run", -1).go();
  const Value results = parse_json(read_file(scratch / "run/results.json"), "results");
  CHECK(results.find("trials")->list()->size() == 4);
  CHECK(results.find("summary")->list()->size() == 2);
  CHECK(*results.find("finished")->boolean());
  CHECK(results.find("notes")->list()->front() == Value("a note"));
  const Value& cell = results.find("summary")->list()->front();
  CHECK(*cell.find("accuracy_mean")->number() == Approx(0.5 / 3 + 4.5));
  CHECK(cell.find("accuracy_low")->number().has_value());
  CHECK(columns(scratch / "run/results.h5", "trials") ==
        std::vector<std::string>{"accuracy", "ratio", "readout", "seed"});
  CHECK(columns(scratch / "run/results.h5", "epochs") ==
        std::vector<std::string>{"accuracy", "epoch", "ratio", "readout", "seed"});
}

TEST_CASE("a metric that was not reached is null in JSON and NaN in a column", "[experiments][run]") {
  const ScratchDirectory scratch;
  RunDirectory run(scratch / "run", config());
  const std::vector<Value> axes{entry("seed", 0), entry("seed", 1)};
  run.restore(axes, [](const Value&) { return Size{0}; });
  run.finish_trial(axes[0], entry("epochs_to_97", Value()));
  run.finish_trial(axes[1], entry("epochs_to_97", 2));
  run.finish(axes, summary());
  CHECK(read_file(scratch / "run/results.json").find("\"epochs_to_97\": null") != std::string::npos);
  const auto column =
      h5::File::open(scratch / "run/results.h5").dataset("trials/epochs_to_97").read<double>();
  CHECK(std::isnan(column[0]));
  CHECK(column[1] == 2);
}

TEST_CASE("an unfinished run says so in its results", "[experiments][run]") {
  const ScratchDirectory scratch;
  RunDirectory run(scratch / "run", config());
  run.restore(plan(), [](const Value&) { return Size{0}; });
  run.finish_trial(plan()[1], entry("accuracy", 0.5));
  run.finish(plan(), summary());
  const Value results = parse_json(read_file(scratch / "run/results.json"), "results");
  CHECK_FALSE(*results.find("finished")->boolean());
  CHECK(results.find("trials")->list()->size() == 1);
}

TEST_CASE("a trial whose lines were lost begins again", "[experiments][run]") {
  const ScratchDirectory scratch;
  REQUIRE(run_in_child(scratch / "run", 5) == 9);
  fs::remove(scratch / "run/metrics.jsonl");
  RunDirectory run(scratch / "run", config());
  const Value first = plan().front();
  REQUIRE(fs::exists(run.checkpoints(first)));
  run.restore({first}, [](const Value&) { return Size{2}; });
  CHECK(run.epochs(first).empty());
  CHECK_FALSE(fs::exists(run.checkpoints(first)));
}

TEST_CASE("a run directory of another configuration is refused by key", "[experiments][run][errors]") {
  const ScratchDirectory scratch;
  const std::string path = (scratch / "run").string();
  {
    RunDirectory run(path, config());
    run.restore(plan(), [](const Value&) { return Size{0}; });
    run.add_epoch(plan().front(), entry("epoch", 1));
  }
  Value other = config();
  other.set_path("glot.tau", 0.6);
  CHECK_THROWS_WITH(RunDirectory(path, other),
                    path +
                        ": holds a run with glot.tau = 0.4, but this one has 0.6; expected the same "
                        "configuration, or --out with another directory");
  other = config();
  other.set("folds", 10);
  CHECK_THROWS_WITH(RunDirectory(path, other), Catch::Contains("folds = nothing, but this one has 10"));
  other = config();
  other.set("unset", Value());
  CHECK_NOTHROW(RunDirectory(path, other));
}

TEST_CASE("a run that measured nothing yet may change its configuration", "[experiments][run]") {
  const ScratchDirectory scratch;
  Value other = config();
  other.set("epochs", 4);
  {
    RunDirectory run(scratch / "run", config());
    run.restore(plan(), [](const Value&) { return Size{0}; });
  }
  { const RunDirectory run(scratch / "run", other); }
  CHECK(first_difference(read_toml(scratch / "run/config.toml"), other).empty());
}

TEST_CASE("a place that holds something else is refused", "[experiments][run][errors]") {
  const ScratchDirectory scratch;
  std::ofstream(scratch / "notes.txt") << "mine";
  CHECK_THROWS_WITH(
      RunDirectory(scratch.path(), config()),
      scratch.path().string() +
          ": holds 'notes.txt' but no run; expected a run directory, an empty one or a new one");
  CHECK_FALSE(fs::exists(scratch / "lock"));
  CHECK_THROWS_WITH(RunDirectory(scratch / "notes.txt", config()),
                    (scratch / "notes.txt").string() + ": is a file; expected a directory for the run");
  CHECK_THROWS_WITH(RunDirectory(scratch / "notes.txt/run", config()),
                    Catch::Contains("notes.txt/run: cannot be written: "));
}

TEST_CASE("a directory that was left before its configuration was written is used", "[experiments][run]") {
  const ScratchDirectory scratch;
  fs::create_directories(scratch / "checkpoints");
  std::ofstream(scratch / "lock");
  std::ofstream(scratch / "config.toml.part") << "half";
  const RunDirectory run(scratch.path(), config());
  CHECK(first_difference(read_toml(scratch / "config.toml"), config()).empty());
}

TEST_CASE("one process at a time runs in a directory", "[experiments][run][errors]") {
  const ScratchDirectory scratch;
  const RunDirectory run(scratch / "run", config());
  CHECK_THROWS_WITH(RunDirectory(scratch / "run", config()),
                    (scratch / "run").string() + ": another process runs here; expected one at a time");
}

TEST_CASE("a trial planned twice is refused", "[experiments][run][errors]") {
  const ScratchDirectory scratch;
  RunDirectory run(scratch / "run", config());
  const Value axes = entry("readout", "mean");
  CHECK_THROWS_WITH(
      run.restore({axes, axes}, [](const Value&) { return Size{0}; }),
      (scratch / "run").string() + ": trial mean is planned twice; expected lists without repeats");
}

TEST_CASE("a trial's name is made of the values of its axes", "[experiments][run]") {
  CHECK(RunDirectory::trial_name(plan().back()) == "mean-0.9-1");
  Value axes = entry("readout", "glot/window 2");
  axes.set("fold", Value());
  CHECK(RunDirectory::trial_name(axes) == "glot_window_2");
}
