#include "tarn/experiments/stress.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/experiments/stress_options.hpp"
#include "tarn/experiments/stress_report.hpp"

#include "datasets/store_fixture.hpp"
#include "experiments/experiment_run.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

using namespace tarn;

namespace {

const std::vector<std::string> tiny = {
    "ratios=[0.2, 0.8]", "seeds=[0, 1]",       "readouts=[\"mean\", \"adapool\", \"glot\"]",
    "data.train=60",     "data.evaluation=20", "seq_len=32",
    "distance=2",        "epochs=2",           "head_epochs=3",
    "structure=true",    "structure_epochs=1"};

std::vector<std::string> with(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

const Value* find_trial(const Value& results, const std::string& readout, double ratio) {
  for (const Value& trial : *results.find("trials")->list()) {
    if (*trial.find("readout") == Value(readout) && trial.find("ratio")->number() == ratio) return &trial;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("the stress test gives the same results for any number of threads", "[experiments][stress]") {
  const ScratchDirectory scratch;
  const Stress stress;
  const Value config = resolve(stress, tiny);
  std::vector<Value> results;
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    const auto directory = scratch / std::to_string(count);
    const std::string printed = run_experiment(stress, config, directory);
    CHECK(printed.find("self-check of the texts") != std::string::npos);
    CHECK(printed.find("mode relational, encoder raw") != std::string::npos);
    CHECK(printed.find("one standard error is 11.2 points at 50 %") != std::string::npos);
    results.push_back(timeless_results(directory));
    CHECK(results.back() == results.front());
    CHECK(read_file(directory / "sample.json") == read_file(scratch / "1" / "sample.json"));
  }
  // Controls and three readouts at two ratios, controls and six readouts in the structure test, two seeds
  // each.
  CHECK(results[0].find("trials")->list()->size() == 2 * (2 * 5 + 8));
  CHECK(*results[0].find("finished") == Value(true));
}

TEST_CASE("an interrupted stress test ends with the same results", "[experiments][stress]") {
  const ScratchDirectory scratch;
  const Stress stress;
  const Value config = resolve(stress, tiny);
  check_interrupted_runs(stress, config, scratch);
  CHECK(read_file(scratch / "again/sample.json") == read_file(scratch / "whole/sample.json"));
}

TEST_CASE("a finished stress test has axes, metrics and a sample", "[experiments][stress]") {
  const ScratchDirectory scratch;
  const Stress stress;
  run_experiment(stress, resolve(stress, with(tiny, {"structure=false"})), scratch / "run");
  const Value results = timeless_results(scratch / "run");
  const Value* glot = find_trial(results, "glot", 0.8);
  REQUIRE(glot != nullptr);
  CHECK(*glot->find("graph") == Value("cosine-threshold"));
  CHECK(*glot->find("mode") == Value("matched"));
  CHECK(*glot->find("encoder") == Value("synthetic"));
  CHECK(*glot->find("steps") == Value(4));
  // 2 layers of 64 over 64 features, the scorer of width 128 over 192, the head.
  CHECK(*glot->find("parameters") == Value(2 * (64 * 64 + 5 * 64) + 192 * 128 + 128 + 129 + 2 * 192 + 2));
  CHECK(glot->find("best_accuracy")->number() >= glot->find("accuracy")->number());
  const Value* mean = find_trial(results, "mean", 0.2);
  REQUIRE(mean != nullptr);
  CHECK(*mean->find("steps") == Value(6));
  CHECK(mean->find("logistic_accuracy") != nullptr);
  CHECK(find_trial(results, "length-only", 0.2)->find("accuracy")->number() == Approx(0.5).margin(0.2));
  CHECK(find_trial(results, "bag-of-words", 0.2)->find("accuracy")->number() > 0.9);

  const Value sample = parse_json(read_file(scratch / "run/sample.json"), "sample.json");
  const std::size_t tokens = sample.find("tokens")->list()->size();
  CHECK(sample.find("cosine")->list()->size() == tokens);
  CHECK(*sample.find("tokens")->list()->front().string() == "[CLS]");
  const Value::List& pooled = *sample.find("pooled")->list();
  REQUIRE(pooled.size() == 4);
  CHECK(*sample.find("tokens")->list()->at(static_cast<std::size_t>(*pooled[1].integer())).string() ==
        "[MAX]");
  CHECK(*sample.find("tokens")->list()->back().string() == "glot");
  for (const char* readout : {"glot", "adapool"}) {
    double sum = 0;
    for (const Value& weight : *sample.find_path(std::string("weights.") + readout)->list())
      sum += *weight.number();
    CHECK(sum == Approx(1).margin(1e-3));
  }
  CHECK(sample.find_path("weights.mean") == nullptr);
}

TEST_CASE("the stress test runs on a token store", "[experiments][stress]") {
  const StoreFolder folder;
  const Stress stress;
  {
    TokenStoreWriter writer(folder / "matched-0.8.h5", {.model = "test",
                                                        .hidden_size = 4,
                                                        .layers = {1},
                                                        .label_type = LabelType::classes,
                                                        .num_classes = 2});
    for (const char* split : {"train", "validation"}) {
      writer.begin_split(split);
      for (Size row = 0; row < 12; ++row) {
        Tensor x({3 + row % 3, 4});
        for (std::size_t e = 0; e < x.flat().size(); ++e) x.flat()[e] = static_cast<Real>(e % 5) - 2;
        x.matrix()(1, 0) = row % 2 == 1 ? Real{3} : Real{-3};
        const TokenText text{.states = x.matrix(), .token_ids = {}, .flags = {}, .text = ""};
        writer.append({&text, 1}, static_cast<double>(row % 2), row);
      }
    }
    writer.finish();
  }
  const std::string store = "data.store=" + (folder / "{mode}-{ratio}.h5").string();
  const Value config = resolve(stress, {store, "ratios=[0.8]", "seeds=[0]", "readouts=[\"mean\", \"glot\"]",
                                        "epochs=2", "head_epochs=2"});
  CHECK(*config.find("encoder") == Value("store"));
  CHECK(*config.find("structure") == Value(false));
  CHECK(*config.find_path("glot.num_layers") == Value(4));
  run_experiment(stress, config, folder / "run");
  const Value results = timeless_results(folder / "run");
  CHECK(*find_trial(results, "glot", 0.8)->find("encoder") == Value("store"));
  CHECK(find_trial(results, "length-only", 0.8)->find("accuracy")->number() == 0.5);

  const Value missing = resolve(stress, {store, "ratios=[0.5]", "readouts=[\"mean\"]", "head_epochs=2"});
  CHECK_THROWS_WITH(run_experiment(stress, missing, folder / "missing"), Catch::Contains("matched-0.5.h5"));
  const Value many = resolve(stress, {store, "ratios=[0.8]", "data.train=13", "readouts=[\"mean\"]"});
  CHECK_THROWS_WITH(run_experiment(stress, many, folder / "many"),
                    Catch::Contains("has 12 rows; expected 13 or more"));
}

TEST_CASE("resolving the stress test fills in what protocol and user say", "[experiments][stress]") {
  const Stress stress;
  const Value plain = resolve(stress, {});
  CHECK(*plain.find("epochs") == Value(10));
  CHECK(*plain.find("head_epochs") == Value(200));
  CHECK(*plain.find("structure") == Value(true));
  CHECK(*plain.find_path("data.train") == Value(2000));
  CHECK(*plain.find_path("glot.tau") == Value(0.4));
  CHECK(*plain.find_path("adapool.hidden_channels") == Value(128));
  CHECK(first_difference(stress.resolve(plain), stress.resolve({})).empty());

  const Value official = resolve(stress, {"protocol=official", "mode=official"});
  CHECK(*official.find("epochs") == Value(3));
  CHECK(*official.find("lr") == Value(1e-4));
  CHECK(*official.find_path("glot.num_layers") == Value(4));
  CHECK(*official.find_path("adapool.hidden_channels") == Value(256));
  CHECK(*official.find("structure") == Value(false));

  const Value shared =
      resolve(stress, {"readout.hidden_channels=32", "glot.tau=0.7", "glot.hidden_channels=16"});
  CHECK(*shared.find_path("adapool.hidden_channels") == Value(32));
  CHECK(*shared.find_path("glot.hidden_channels") == Value(16));
  CHECK(*shared.find_path("glot.tau") == Value(0.7));

  const Value all = resolve(stress, {"readouts=all"});
  CHECK(all.find("readouts")->list()->size() == fitting_readouts().size());
  CHECK(StressPlan::read(all).trials.size() == 4 * 3 * (fitting_readouts().size() + 2));
}

TEST_CASE("the stress test says what is wrong with a configuration", "[experiments][stress]") {
  const Stress stress;
  CHECK_THROWS_WITH(resolve(stress, {"readouts=[\"glott\"]"}), Catch::Contains("did you mean 'glot'?"));
  CHECK_THROWS_WITH(resolve(stress, {"readouts=[\"weighted-mean\"]"}),
                    Catch::Contains("'weighted-mean' does not fit: needs a weight of every row"));
  CHECK_THROWS_WITH(resolve(stress, {"ratio=0.5"}),
                    Catch::Contains("unknown option 'ratio' for stress; did you mean 'ratios'?"));
  CHECK_THROWS_WITH(
      resolve(stress, {"readout.hiden_channels=3"}),
      Catch::Contains(
          "unknown option 'hiden_channels' for the readouts mean, max, first, last, adapool, glot; "
          "did you mean 'hidden_channels'?"));
  CHECK_THROWS_WITH(resolve(stress, {"readout=3"}),
                    Catch::Contains("readout: got 3; expected a table of options"));
  CHECK_THROWS_WITH(resolve(stress, {"glot.dropout=1.7"}),
                    Catch::Contains("command line: glot.dropout") &&
                        Catch::Contains("got 1.7; expected a number in [0, 1)"));
  CHECK_THROWS_WITH(resolve(stress, {"ratios=[]"}), "stress.ratios: got []; expected at least one");
  CHECK_THROWS_WITH(resolve(stress, {"ratios=[1.5]"}), Catch::Contains("stress.ratios: got [1.5]"));
  CHECK_THROWS_WITH(resolve(stress, {"seq_len=12"}), Catch::Contains("seq_len"));
  CHECK_THROWS_WITH(
      resolve(stress, {"encoder=store"}),
      "stress.encoder: got \"store\" with data.store = \"\"; expected encoder = \"store\" with the path of a "
      "token store, or another encoder without one");
  CHECK_THROWS_WITH(
      resolve(stress, {"data.store=a.h5"}),
      "stress.data.store: got \"a.h5\" for 4 ratios; expected a path with {ratio} in it, or the "
      "one ratio of this store in ratios");
  CHECK_THROWS_WITH(resolve(stress, {"data.layers=middle", "data.store=a-{ratio}.h5"}),
                    Catch::Contains("middle"));
}

TEST_CASE("mode official warns that the length gives the label away", "[experiments][stress]") {
  const ScratchDirectory scratch;
  const Stress stress;
  run_experiment(stress,
                 resolve(stress, {"mode=official", "ratios=[0.5]", "seeds=[0]", "readouts=[\"mean\"]",
                                  "data.train=80", "data.evaluation=40", "head_epochs=2", "head=logistic"}),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  CHECK(find_trial(results, "length-only", 0.5)->find("accuracy")->number() == 1.0);
  const std::string warning = *results.find("warnings")->list()->front().string();
  CHECK(warning.find("knowing the number of tokens alone is right for 100.0 % at ratio 0.5") !=
        std::string::npos);
  const Value* mean = find_trial(results, "mean", 0.5);
  CHECK(mean->find("steps") == nullptr);
  CHECK(*mean->find("accuracy") == *mean->find("logistic_accuracy"));
}

TEST_CASE("conclusions are printed only where the numbers bear them out", "[experiments][stress]") {
  const Stress stress;
  const StressPlan plan =
      StressPlan::read(resolve(stress, {"seeds=[0]", "ratios=[0.2, 0.9]", "structure=true"}));
  const auto notes_of = [&](double mean_high, double adapool, double glot, double window, double others) {
    TrialSet set;
    for (const StressTrial& planned : plan.trials) {
      const std::string& name = planned.plan.readout;
      const bool structure = planned.setting.encoder == StressEncoder::raw;
      Trial trial;
      const Value axes = planned.axes();
      for (const auto& [axis, value] : *axes.table()) trial.axes.emplace_back(axis, value);
      double accuracy = planned.setting.ratio > 0.5 ? mean_high : 0.8;
      if (name == "adapool") accuracy = adapool;
      if (name == "glot") accuracy = glot;
      if (structure) accuracy = planned.graph == "window" ? window : others;
      trial.metrics.emplace_back("accuracy", accuracy);
      if (accuracy >= 0.97) trial.metrics.emplace_back("epochs_to_97", name == "glot" ? 1 : 4);
      trial.metrics.emplace_back("seconds_per_epoch", name == "glot" ? 1 : 0.1);
      set.add(trial);
    }
    std::string text;
    for (const std::string& note : stress_notes(plan, set)) text += note + "\n";
    return text;
  };
  const std::string good = notes_of(0.6, 1, 1, 1, 0.5);
  CHECK(good.find("mean from 80.0 to 60.0 %") != std::string::npos);
  CHECK(good.find("adapool reaches 100.0 % at ratio 0.9") != std::string::npos);
  CHECK(good.find("fewer epochs than adapool (1.0 against 4.0 on average), each several times dearer") !=
        std::string::npos);
  CHECK(good.find("glot over a window reaches 100.0 %, all other rows stay between 50.0 and 50.0 %") !=
        std::string::npos);
  const std::string bad = notes_of(0.79, 0.6, 0.7, 0.9, 0.7);
  CHECK(bad.find("dilution") == std::string::npos);
  CHECK(bad.find("neither adapool (60.0 %) nor glot (70.0 %) passes 97 %") != std::string::npos);
  CHECK(bad.find("fewer epochs") == std::string::npos);
  CHECK(bad.find("A graph was needed") == std::string::npos);
}
