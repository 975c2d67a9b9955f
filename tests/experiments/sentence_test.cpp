#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/token_store_writer.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/run_record.hpp"
#include "tarn/experiments/sentence_tasks.hpp"

#include "experiments/experiment_run.hpp"
#include "experiments/toy_texts.hpp"
#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cmath>
#include <thread>

using namespace tarn;
using Catch::Contains;

namespace {

using Path = std::filesystem::path;

struct ToyStore {
  LabelType labels = LabelType::classes;
  Size num_texts = 1;
  std::string task{};
  Size unlabelled = 0;  ///< rows at the start of each split
};

TokenText text_of(const ToyTexts& toy, Size row) {
  const Rows rows = toy.sets.rows(row);
  return {.states = std::as_const(toy.x).matrix().row_block(rows.begin, rows.end),
          .token_ids = {},
          .flags = {},
          .text = {}};
}

/// Classes: whose sign the deciding token has. Pairs with real labels: 5 where both texts agree, else 0.
void append_split(TokenStoreWriter& writer, const ToyStore& spec, const std::string& split, Size count,
                  std::uint64_t seed) {
  const ToyTexts a = make_toy_texts(count, seed), b = make_toy_texts(count, seed + 100);
  writer.begin_split(split);
  for (Size row = 0; row < count; ++row) {
    std::vector<TokenText> texts{text_of(a, row)};
    if (spec.num_texts == 2) texts.push_back(text_of(b, row));
    const bool agree = a.labels[static_cast<std::size_t>(row)] == b.labels[static_cast<std::size_t>(row)];
    double label = spec.num_texts == 1 ? a.labels[static_cast<std::size_t>(row)] : agree ? 1 : 0;
    if (spec.labels == LabelType::real) label = row < spec.unlabelled ? std::nan("") : 5 * label;
    if (spec.labels == LabelType::classes && row < spec.unlabelled) label = -1;
    writer.append(texts, label, row);
  }
}

Path write_toy_store(const Path& path, const ToyStore& spec) {
  TokenStoreWriter writer(path, {.model = "toy",
                                 .hidden_size = 8,
                                 .task = spec.task,
                                 .label_type = spec.labels,
                                 .num_classes = spec.labels == LabelType::classes ? 2 : 0,
                                 .num_texts = spec.num_texts});
  append_split(writer, spec, "train", 160, 1);
  append_split(writer, spec, "validation", 60, 2);
  writer.finish();
  return path;
}

Value config_for(const SentenceExperiment& experiment, const Path& store,
                 std::vector<std::string> more = {}) {
  more.push_back("data.store=\"" + store.string() + "\"");
  return resolve(experiment, more);
}

std::vector<double> metric_of(const Value& results, const std::string& readout, const std::string& metric) {
  std::vector<double> values;
  for (const Value& trial : *results.find("trials")->list()) {
    if (*trial.find("readout") == Value(readout)) values.push_back(trial.find(metric)->number().value());
  }
  return values;
}

const std::vector<std::string> small = {"readouts=[\"mean\",\"adapool\",\"glot\"]", "seeds=[0,1]",
                                        "epochs=12", "lr=0.01"};

std::vector<std::string> small_with(const std::vector<std::string>& more) {
  std::vector<std::string> all = small;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("tokens trains readouts on the classes of a store", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "toy.h5", {.task = "toy"});
  const std::string printed =
      run_experiment(tokens, config_for(tokens, store, small_with({"head_epochs=100"})), scratch / "run");
  CHECK_THAT(printed, Contains("task toy") && Contains("States of toy, layers last. 60 evaluation texts"));
  CHECK_THAT(printed, Contains("linear head, in brackets the best linear head"));
  const Value results = timeless_results(scratch / "run");
  CHECK(*results.find("metric") == Value("accuracy"));
  for (const char* learned : {"adapool", "glot"}) {
    for (const double accuracy : metric_of(results, learned, "accuracy")) CHECK(accuracy > 0.95);
  }
  for (const double accuracy : metric_of(results, "mean", "accuracy")) CHECK(accuracy > 0.6);
  CHECK(metric_of(results, "mean", "logistic_accuracy").size() == 2);
  CHECK(metric_of(results, "adapool", "mcc").front() > 0.9);
  CHECK(std::filesystem::exists(scratch / "run" / "sample.json"));
}

TEST_CASE("pairs of a store are classified from both texts", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "pairs.h5", {.num_texts = 2, .task = "mrpc"});
  run_experiment(tokens,
                 config_for(tokens, store, {"readouts=[\"mean\",\"adapool\"]", "seeds=[0]", "epochs=2"}),
                 scratch / "run");
  const Value results = timeless_results(scratch / "run");
  CHECK(*results.find("metric") == Value("f1"));
  // [a, b] of width 8 each into 2 classes, and the scorer 8 -> 128 -> 1.
  CHECK(metric_of(results, "mean", "parameters").front() == 2 * 16 + 2);
  CHECK(metric_of(results, "adapool", "parameters").front() == 2 * 16 + 2 + 9 * 128 + 129);
}

TEST_CASE("sts scores fixed readouts untrained and trains learned ones", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment sts(SentenceTask::sts);
  const Path store =
      write_toy_store(scratch / "sts.h5", {.labels = LabelType::real, .num_texts = 2, .task = "stsb"});
  const std::string printed = run_experiment(sts, config_for(sts, store, small), scratch / "run");
  CHECK_THAT(printed, Contains("no seed enters their cosine"));
  const Value results = timeless_results(scratch / "run");
  CHECK(*results.find("metric") == Value("spearman"));
  const std::vector<double> fixed = metric_of(results, "mean", "spearman");
  CHECK(fixed[0] == fixed[1]);
  for (const double learned : metric_of(results, "adapool", "spearman")) CHECK(learned > 0.8);

  // The cosine of the means, computed here.
  const ToyTexts a = make_toy_texts(60, 2), b = make_toy_texts(60, 102);
  std::vector<double> cosines, labels;
  const auto mean_of = [](const ToyTexts& toy, Size row) {
    std::vector<double> sum(8, 0);
    for (Size i = toy.sets.rows(row).begin; i < toy.sets.rows(row).end; ++i) {
      for (std::size_t j = 0; j < 8; ++j)
        sum[j] += static_cast<double>(toy.x.matrix()(i, static_cast<Size>(j)));
    }
    return sum;
  };
  for (Size row = 0; row < 60; ++row) {
    const std::vector<double> u = mean_of(a, row), v = mean_of(b, row);
    double uv = 0, uu = 0, vv = 0;
    for (std::size_t j = 0; j < 8; ++j) uv += u[j] * v[j], uu += u[j] * u[j], vv += v[j] * v[j];
    cosines.push_back(uv / std::sqrt(uu * vv));
    const auto r = static_cast<std::size_t>(row);
    labels.push_back(a.labels[r] == b.labels[r] ? 5 : 0);
  }
  CHECK(fixed[0] == Approx(spearman(cosines, labels)).margin(2e-3));  // stored as float16
}

TEST_CASE("an epoch chosen on held-out training texts is what counts", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "toy.h5", {});
  const Value config = config_for(
      tokens, store,
      {"readouts=[\"mean\",\"adapool\"]", "seeds=[3]", "epochs=12", "lr=0.05", "select=\"train-split\""});
  run_experiment(tokens, config, scratch / "whole");
  const Value results = timeless_results(scratch / "whole");
  const auto selected = static_cast<Size>(metric_of(results, "adapool", "selected_epoch").front());
  double best_held_out = -1, at_selected = -1;
  Size expected = 0;
  for (const Trial& epoch : read_run((scratch / "whole").string()).epochs.trials) {
    if (axis_text(epoch.axis("readout")) != "adapool") continue;
    const double held_out = epoch.metric("selection_accuracy").value();
    const auto number = static_cast<Size>(epoch.metric("epoch").value());
    if (held_out > best_held_out) best_held_out = held_out, expected = number;
    if (number == selected) at_selected = epoch.metric("accuracy").value();
  }
  CHECK(selected == expected);
  CHECK(metric_of(results, "adapool", "accuracy").front() == at_selected);
  CHECK(metric_of(results, "adapool", "steps").front() == 12 * 5);  // 144 of 160 rows, batches of 32
}

TEST_CASE("an interrupted selection goes on to the same results", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "toy.h5", {});
  const Value config = config_for(tokens, store,
                                  {"readouts=[\"adapool\"]", "seeds=[3]", "epochs=40", "lr=0.05",
                                   "select=\"train-split\"", "head_epochs=2"});
  run_experiment(tokens, config, scratch / "whole");
  const InterruptionGuard guard;
  const auto interrupted_run = [&] {
    RunDirectory run(scratch / "cut", config);
    Console console(Console::Talk::quiet, Log());
    ExperimentContext context{config, run, console};
    const Path best = scratch / "cut" / "checkpoints/adapool-none-tokens-3/best.h5";
    const std::jthread killer([&] {
      while (!std::filesystem::exists(best)) std::this_thread::yield();
      request_interruption();
    });
    tokens.run(context);
  };
  CHECK_THROWS_AS(interrupted_run(), Interrupted);
  const InterruptionGuard again;
  run_experiment(tokens, config, scratch / "cut");
  CHECK(timeless_results(scratch / "cut") == timeless_results(scratch / "whole"));
}

TEST_CASE("sentence tasks give the same results for any number of threads", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "toy.h5", {});
  const Value config = config_for(tokens, store, {"seeds=[0]", "epochs=2", "head_epochs=5"});
  std::vector<Value> results;
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    run_experiment(tokens, config, scratch / std::to_string(count));
    results.push_back(timeless_results(scratch / std::to_string(count)));
    CHECK(results.back() == results.front());
  }
}

TEST_CASE("unlabelled rows are left out", "[experiments][sentences]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens);
  const Path store = write_toy_store(scratch / "toy.h5", {.unlabelled = 20});
  const std::string printed =
      run_experiment(tokens, config_for(tokens, store, {"readouts=[\"mean\"]", "seeds=[0]", "head_epochs=1"}),
                     scratch / "run");
  CHECK_THAT(printed, Contains("40 evaluation texts"));
  CHECK(metric_of(timeless_results(scratch / "run"), "mean", "steps").front() == 5);  // 140 rows
}

TEST_CASE("sentence tasks say what is wrong with a store or an option", "[experiments][sentences][errors]") {
  const ScratchDirectory scratch;
  const SentenceExperiment tokens(SentenceTask::tokens), sts(SentenceTask::sts);
  const auto running = [&](const SentenceExperiment& experiment, const Path& store,
                           const std::vector<std::string>& more) {
    return [&scratch, &experiment, config = config_for(experiment, store, more)] {
      run_experiment(experiment, config, scratch / "failed");
    };
  };
  const Path classes = write_toy_store(scratch / "classes.h5", {});
  CHECK_THROWS_WITH(running(sts, classes, {})(),
                    Contains("holds 1 text a row with labels of type class; expected two with real labels"));
  const Path real = write_toy_store(scratch / "real.h5", {.labels = LabelType::real, .num_texts = 2});
  CHECK_THROWS_WITH(
      running(tokens, real, {})(),
      Contains("holds 2 texts a row with labels of type real; expected one or two with class labels"));
  CHECK_THROWS_WITH(running(tokens, classes, {"data.train=161"})(),
                    Contains("classes.h5/train: has 160 labelled rows; expected 161 or more"));
  const Path blank = write_toy_store(scratch / "blank.h5", {.unlabelled = 160});
  CHECK_THROWS_WITH(running(tokens, blank, {})(), Contains("has 0 labelled rows; expected 1 or more"));
  CHECK_THROWS_WITH(running(tokens, classes, {"data.evaluation_split=\"test\""})(),
                    Contains("'test'") && Contains("train, validation"));
  CHECK_THROWS_WITH(running(tokens, scratch / "none.h5", {})(), Contains("none.h5: cannot be opened"));
  CHECK_THROWS_WITH(resolve(tokens, {"seeds=[0]"}),
                    Contains("tokens.data.store: got nothing; expected the path of a token store"));
  CHECK_THROWS_WITH(config_for(tokens, classes, {"readouts=[]"}), Contains("tokens.readouts: got []"));
  CHECK_THROWS_WITH(config_for(tokens, classes, {"label_scale=\"raw\""}),
                    Contains("unknown option 'label_scale' for tokens"));
  CHECK_THROWS_WITH(config_for(sts, real, {"label_scale=\"0_2\""}),
                    Contains("expected one of 0_1, -1_1, raw"));
  CHECK_THROWS_WITH(config_for(sts, real, {"data.layers=\"first\""}), Contains("first"));
}
