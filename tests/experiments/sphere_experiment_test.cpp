#include "tarn/experiments/sphere/sphere_experiment.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/report.hpp"

#include "experiments/experiment_run.hpp"
#include "experiments/killed_runs.hpp"
#include "experiments/markup.hpp"
#include "experiments/program_fixture.hpp"
#include "experiments/sphere_fixture.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <csignal>

using namespace tarn;
using namespace tarn::test;
using Arguments = std::vector<std::string>;

namespace {

namespace fs = std::filesystem;

SphereExperiment experiment(const std::string& name) {
  return SphereExperiment(sphere_preset(name));
}

Arguments tiny_fields(const Arguments& more = {}) {
  Arguments all = {"data.nside=2",  "data.low=2.0",   "data.high=4.0",     "data.sigma_p=1.5",
                   "data.train=24", "data.test=8",    "data.validation=6", "epochs=3",
                   "batch=8",       "model.blocks=1", "model.filters=4",   "model.hidden=6"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Arguments tiny_images(const fs::path& folder, const Arguments& more = {}) {
  Arguments all = {"data.path=" + folder.string(),
                   "data.nside=4",
                   "epochs=3",
                   "batch=8",
                   "data.train=30",
                   "model.blocks=2",
                   "model.filters=4",
                   "model.hidden=8"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

double number(const Value& trial, const std::string& name) {
  const Value* value = trial.find(name);
  REQUIRE(value != nullptr);
  return value->number().value();
}

const Value& trial_of(const Value& results, const std::string& readout) {
  for (const Value& trial : *results.find("trials")->list()) {
    if (*trial.find("readout") == Value(readout)) return trial;
  }
  throw std::logic_error(readout);
}

}  // namespace

TEST_CASE("runs on the sphere give the same results for any number of threads",
          "[experiments][sphere][slow]") {
  const ScratchDirectory scratch;
  write_images(scratch / "images", 40, 12);
  write_tau_file(scratch / "cl.h5");
  const std::vector<std::pair<std::string, Arguments>> runs = {
      {"sphere-peak",
       tiny_fields({"data.f_sky=[1.0, 0.4]", "augment=symmetry", "readouts=[\"flatten\", \"mean\"]"})},
      {"sphere-eb", tiny_fields({"data.noise=[0.5]", "augment=symmetry"})},
      {"sphere-tau",
       tiny_fields({"data.path=" + (scratch / "cl.h5").string(), "data.low=0.03", "data.high=0.09"})},
      {"sphere-mnist", tiny_images(scratch / "images", {"seeds=[0, 1]"})},
      {"sphere-mnist", tiny_images(scratch / "images", {"protocol=rotated", "data.validation=6"})}};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const SphereExperiment sphere = experiment(runs[i].first);
    const Value config = resolve(sphere, runs[i].second);
    std::vector<Value> results;
    std::vector<std::string> pictures;
    for (const int count : {1, 2, 3}) {
      const Threads threads(count);
      const fs::path run = scratch / (std::to_string(i) + "-" + std::to_string(count));
      CHECK(run_experiment(sphere, config, run).find("flatten") != std::string::npos);
      results.push_back(timeless_results(run));
      pictures.push_back(read_file(run / "pictures" / "maps-1.svg"));
      CHECK(results.back() == results.front());
      CHECK(pictures.back() == pictures.front());
    }
    CHECK(*results[0].find("finished") == Value(true));
  }
}

TEST_CASE("an interrupted run on the sphere ends with the same results", "[experiments][sphere][slow]") {
  const ScratchDirectory scratch;
  const SphereExperiment peak = experiment("sphere-peak");
  const Value config = resolve(peak, tiny_fields({"epochs=25", "data.f_sky=[1.0, 0.5]", "lr_patience=1",
                                                  "patience=8", "augment=rot90", "min_gain=0.01"}));
  check_interrupted_runs(peak, config, scratch);
  CHECK(read_file(scratch / "again" / "pictures" / "maps-2.svg") ==
        read_file(scratch / "whole" / "pictures" / "maps-2.svg"));
}

TEST_CASE("a run on the sphere killed again and again ends with the same results",
          "[program][sphere][slow]") {
  const Program tarn;
  const auto arguments = [](const std::string& out) {
    Program::Arguments all = {"run", "sphere-demo", "--quiet", "--out", out};
    const Arguments options =
        tiny_fields({"epochs=400", "data.f_sky=[1.0]", "lr_patience=2", "augment=none"});
    all.insert(all.end(), options.begin(), options.end());
    return all;
  };
  check_killed_runs(tarn, arguments, 6);
}

TEST_CASE("images on the sphere are learned and reported", "[experiments][sphere]") {
  const ScratchDirectory scratch;
  write_images(scratch / "images", 60, 15);
  const SphereExperiment mnist = experiment("sphere-mnist");
  const Value config = resolve(
      mnist, tiny_images(scratch / "images", {"epochs=15", "data.train=60", "lr=0.01", "model.dropout=0.0"}));
  run_experiment(mnist, config, scratch / "run");
  const Value results = timeless_results(scratch / "run");
  const Value& trial = results.find("trials")->list()->front();
  CHECK(number(trial, "accuracy") > 0.9);
  CHECK(number(trial, "test_maps") == 15);
  CHECK(number(trial, "train_maps") == 60);
  CHECK(number(trial, "epoch") == 15);
  CHECK(number(trial, "coverage") > 0.1);
  CHECK(trial.find("correct") != nullptr);
  CHECK(results.find("notes")->text().find("last epoch") != std::string::npos);
  static_cast<void>(write_report({(scratch / "run").string()}, (scratch / "run").string()));
  const std::string page = read_file(scratch / "run" / "report.html");
  for (const char* text : {"Images on the sphere", "Pictures", "data:image/png;base64,", "read as"}) {
    CHECK(page.find(text) != std::string::npos);
  }
  CHECK(markup_fault(read_file(scratch / "run" / "pictures" / "maps-1.svg")).empty());
}

TEST_CASE("rotated images count 9 as 6, choose by validation and show the released log",
          "[experiments][sphere]") {
  const ScratchDirectory scratch;
  write_images(scratch / "images", 40, 6);
  const SphereExperiment mnist = experiment("sphere-mnist");
  const Value config = resolve(
      mnist, tiny_images(scratch / "images", {"protocol=rotated", "data.validation=8", "data.copies=3",
                                              "data.test_copies=4", "data.sizes=[180, 90]", "epochs=4"}));
  run_experiment(mnist, config, scratch / "run");
  const Value results = timeless_results(scratch / "run");
  REQUIRE(results.find("trials")->list()->size() == 2);
  double coverage = 1;
  for (const Value& trial : *results.find("trials")->list()) {
    CHECK(number(trial, "train_maps") == 90);
    CHECK(number(trial, "test_maps") == 24);
    CHECK(number(trial, "coverage") < coverage);
    coverage = number(trial, "coverage");
    // The outputs are the classes up to 6.
    double best = 1e9;
    Size chosen = 0;
    for (const Value& line : parse_json_lines(read_file(scratch / "run" / "metrics.jsonl"), "metrics")) {
      if (*line.find("size") != *trial.find("size")) continue;
      if (number(line, "validation_loss") >= best) continue;
      best = number(line, "validation_loss");
      chosen = *line.find("epoch")->integer();
    }
    CHECK(*trial.find("epoch") == Value(chosen));
  }
  CHECK(read_file(scratch / "run" / "pictures" / "validation.svg").find("released log") != std::string::npos);
  CHECK(read_file(scratch / "run" / "pictures" / "sphere.json").find("maps-2.svg") != std::string::npos);
}

TEST_CASE("fields stand beside the Fisher bound and the likelihoods", "[experiments][sphere]") {
  const ScratchDirectory scratch;
  const SphereExperiment peak = experiment("sphere-peak");
  const Value config = resolve(
      peak,
      tiny_fields({"data.nside=4", "data.low=3.0", "data.high=7.0", "data.test=60", "data.f_sky=[1.0, 0.4]",
                   "baselines=[\"fisher\", \"exact-likelihood\", \"spectrum-likelihood\", "
                   "\"pixel-likelihood\"]"}));
  const std::string printed = run_experiment(peak, config, scratch / "run");
  CHECK(printed.find("/ Fisher") != std::string::npos);
  const Value results = timeless_results(scratch / "run");
  const double fisher = number(trial_of(results, "fisher"), "percent_error"),
               exact = number(trial_of(results, "exact-likelihood"), "percent_error"),
               spectrum = number(trial_of(results, "spectrum-likelihood"), "percent_error"),
               pixels = number(trial_of(results, "pixel-likelihood"), "percent_error"),
               network = number(trial_of(results, "flatten"), "percent_error");
  CHECK(fisher > 0);
  CHECK(exact > 0.6 * fisher);
  CHECK(exact < 1.6 * fisher);
  CHECK(spectrum > 0.8 * exact);
  CHECK(pixels < 8 * fisher);
  CHECK(network > fisher);
  // Likelihoods of spectra are for the full sky, that of pixels for parts of it.
  for (const Value& trial : *results.find("trials")->list()) {
    const std::string name = *trial.find("readout")->string();
    const bool full = *trial.find("f_sky") == Value(1.0);
    if (name == "spectrum-likelihood" || name == "exact-likelihood") CHECK(full);
    if (name == "pixel-likelihood") CHECK(!full);
    if (!full) CHECK(number(trial, "coverage") == Approx(0.4).margin(0.1));
  }
  static_cast<void>(write_report({(scratch / "run").string()}, (scratch / "run").string()));
  const std::string page = read_file(scratch / "run" / "report.html");
  for (const char* text : {"Inputs, predictions, residuals", "residual", "f_sky 0.4", "Fisher bound"}) {
    CHECK(page.find(text) != std::string::npos);
  }
  for (const char* file : {"maps-1.svg", "maps-2.svg", "error-1.svg", "error-2.svg"}) {
    CHECK(markup_fault(read_file(scratch / "run" / "pictures" / file)).empty());
  }
}

TEST_CASE("polarised fields have two numbers, tau a deviation", "[experiments][sphere]") {
  const ScratchDirectory scratch;
  const SphereExperiment eb = experiment("sphere-eb");
  run_experiment(eb, resolve(eb, tiny_fields({"data.nside=4", "data.low=3.0", "data.high=7.0"})),
                 scratch / "eb");
  const Value results = timeless_results(scratch / "eb");
  for (const char* name : {"fisher", "spectrum-likelihood", "flatten"}) {
    const Value& trial = trial_of(results, name);
    CHECK((number(trial, "0_percent_error") + number(trial, "1_percent_error")) / 2 ==
          Approx(number(trial, "percent_error")));
  }
  write_tau_file(scratch / "cl.h5");
  const SphereExperiment tau = experiment("sphere-tau");
  run_experiment(tau,
                 resolve(tau, tiny_fields({"data.path=" + (scratch / "cl.h5").string(), "data.low=0.03",
                                           "data.high=0.09", "data.noise=[1.0]"})),
                 scratch / "tau");
  const Value tau_results = timeless_results(scratch / "tau");
  CHECK(*tau_results.find("metric") == Value("rmse"));
  CHECK(number(trial_of(tau_results, "flatten"), "mean_deviation") > 0);
  CHECK(number(trial_of(tau_results, "fisher"), "rmse") > 0);
}

TEST_CASE("what a run on the sphere cannot use is said before it starts", "[experiments][sphere][errors]") {
  const SphereExperiment mnist = experiment("sphere-mnist"), peak = experiment("sphere-peak"),
                         tau = experiment("sphere-tau");
  const auto check = [](const SphereExperiment& sphere, const Arguments& options, const char* message) {
    CHECK_THROWS_WITH(resolve(sphere, options), Catch::Contains(message));
  };
  check(mnist, {"protocol=turned"}, "sphere-mnist.protocol: got \"turned\"");
  check(mnist, {"readouts=[]"}, "readouts: got []; expected at least one");
  check(mnist, {"seeds=[]"}, "seeds: got []; expected at least one");
  check(mnist, {"readouts=[\"glott\"]"}, "glott");
  check(mnist, {"network=healpix-cn"}, "healpix-cn");
  check(mnist, {"loss=moments"}, "loss: got moments for classes");
  check(mnist, {"patience=3"}, "patience: got 3 without validation maps");
  check(mnist, {"lr_patience=3"}, "lr_patience: got 3 without validation maps");
  check(mnist, {"augment=rot90"}, "augment: changes where an image lies");
  check(mnist, {"data.sizes=[181]"}, "data.sizes");
  check(mnist, {"data.sizes=[]"}, "data.sizes: got []");
  check(mnist, {"data.nside=12"}, "data.nside: nside 12; expected a power of two");
  check(mnist, {"data.nside=8"}, "healpix-cnn.blocks: 4 blocks halve nside 8 too often");
  check(mnist, {"protocol=rotated", "data.projection=planar"}, "data.projection: got planar");
  check(mnist, {"model.nside=4"}, "model.nside: follows from the data");
  check(mnist, {"model.readout=mean"}, "and readouts in the list readouts");
  check(mnist, {"model.filter=4"}, "unknown option 'filter'");
  check(mnist, {"model=4"}, "model: got 4; expected a table");
  check(mnist, {"baselines=[\"fisher\"]"}, "unknown option 'baselines'");
  check(peak, {"loss=cross-entropy"}, "loss: got cross-entropy for numbers");
  check(peak, {"augment=rotation"}, "augment: got rotation");
  check(peak, {"baselines=[\"fischer\"]"}, "unknown baseline 'fischer'; did you mean 'fisher'?");
  check(peak, {"data.f_sky=[0.0]"}, "data.f_sky");
  check(peak, {"data.f_sky=[]"}, "data.f_sky: got []");
  check(peak, {"data.noise=[]"}, "data.noise: got []");
  check(peak, {"data.noise=[-1.0]"}, "data.noise");
  check(peak, {"data.nside=16", "data.pixel_window=[1.0, 0.9]"},
        "data.pixel_window: got 2 factors; expected at least 48, for degrees 0 to 47");
  check(peak, {"data.pixel_window=[-1.0]"}, "data.pixel_window");
  check(peak, {"data.low=20.0"}, "data.low: got 20 with data.high = 20");
  check(peak, {"data.low=0.5"}, "data.low: got 0.5; expected a degree of at least 1");
  check(tau, {"data.low=0.2"}, "data.low: got 0.2 with data.high = 0.08");
}

TEST_CASE("missing and unfit data are named", "[experiments][sphere][errors]") {
  const ScratchDirectory scratch;
  const auto check = [&](const std::string& name, const Arguments& options, const char* message) {
    const SphereExperiment sphere = experiment(name);
    const Value config = resolve(sphere, options);
    static int number = 0;
    CHECK_THROWS_WITH(run_experiment(sphere, config, scratch / ("run" + std::to_string(++number))),
                      Catch::Contains(message));
  };
  write_images(scratch / "images", 20, 6);
  write_tau_file(scratch / "cl.h5", 10);
  const std::string images = "data.path=" + (scratch / "images").string(),
                    spectra = "data.path=" + (scratch / "cl.h5").string();
  check("sphere-mnist", {"data.path=nowhere"}, "nowhere: no such file or folder");
  check("sphere-mnist", {"data.path=" + scratch.path().string()}, "no file train-images-idx3-ubyte there");
  check("sphere-mnist", {images, "data.train=21"}, "data.train: got 21 where there are 20 images for it");
  check("sphere-mnist", {images, "data.train=10", "data.test=7"}, "data.test: got 7 where there are 6");
  check("sphere-mnist", {images, "data.train=1", "data.validation=20"},
        "data.validation: got 20 where there are 19");
  check("sphere-tau", {"data.path=nowhere"}, "nowhere: no such file or folder");
  check("sphere-tau", {spectra, "data.nside=16"},
        "data.lmax: spectra up to l = 47 for tau; expected at most 10");
  check("sphere-tau", {spectra, "data.nside=2", "data.lmax=5", "model.blocks=1", "data.low=0.01"},
        "expected tau from 0.02 to 0.12");
}
