#include "tarn/experiments/trainer.hpp"

#include "tarn/core/parallel.hpp"

#include "datasets/store_fixture.hpp"
#include "experiments/toy_texts.hpp"
#include <catch2/catch.hpp>

using namespace tarn;

namespace {

struct Run {
  TrainingHistory history;
  std::vector<Real> parameters;
};

std::unique_ptr<Readout> small_readout(const std::string& name) {
  Value options;
  options.set("hidden_channels", 16);
  return make_readout(name, 8, options);
}

Run run(const std::string& readout, const ToyTexts& data, const TrainingOptions& options,
        const TrainingHooks& hooks = {}) {
  const MemoryTexts texts = data.texts();
  TextModel model(small_readout(readout), {.dim = 8});
  std::vector<Size> rows = first_rows(texts.rows());
  const std::vector<Size> held_out(rows.end() - 40, rows.end());
  rows.resize(rows.size() - 40);
  Run result{train(model, texts, texts, {rows, held_out}, options, hooks), {}};
  for (const Parameter* p : model.parameters()) {
    result.parameters.insert(result.parameters.end(), p->value.flat().begin(), p->value.flat().end());
  }
  return result;
}

void check_same(const Run& a, const Run& b) {
  CHECK(a.parameters == b.parameters);
  CHECK(a.history.predictions == b.history.predictions);
  REQUIRE(a.history.epochs.size() == b.history.epochs.size());
  for (std::size_t e = 0; e < a.history.epochs.size(); ++e) {
    CHECK(a.history.epochs[e].loss == b.history.epochs[e].loss);
    CHECK(a.history.epochs[e].steps == b.history.epochs[e].steps);
    CHECK(a.history.epochs[e].metrics.values() == b.history.epochs[e].metrics.values());
  }
}

}  // namespace

TEST_CASE("training learns a toy problem that one token decides", "[experiments][trainer]") {
  const ToyTexts data = make_toy_texts(200, 1);
  for (const char* readout : {"adapool", "glot"}) {
    const Run trained = run(readout, data, {.epochs = 12, .batch = 16, .lr = 1e-2});
    CHECK(trained.history.last().metrics.at("accuracy") > 0.97);
    CHECK(trained.history.last().steps == 12 * 10);
    const EpochRecord* reached = trained.history.first_above("accuracy", 0.97);
    REQUIRE(reached != nullptr);
    CHECK(trained.history.best("accuracy").epoch >= reached->epoch);
    CHECK(trained.history.first_above("accuracy", 1.0) == nullptr);
  }
}

TEST_CASE("training gives the same bits for any number of threads, alone or beside others",
          "[experiments][trainer]") {
  const ToyTexts data = make_toy_texts(120, 2);
  const TrainingOptions options{.epochs = 2, .batch = 16};
  const Run alone = run("glot", data, options);
  for (const int count : {1, 2, 4}) {
    const Threads threads(count);
    check_same(alone, run("glot", data, options));
    std::vector<Run> jobs(3);
    for_jobs(3, [&](Size job) { jobs[static_cast<std::size_t>(job)] = run("glot", data, options); });
    for (const Run& job : jobs) check_same(alone, job);
  }
}

TEST_CASE("interrupted training goes on from its checkpoint with the same bits", "[experiments][trainer]") {
  const StoreFolder folder;
  const ToyTexts data = make_toy_texts(120, 3);
  const Run whole = run("glot", data, {.epochs = 4, .batch = 16});
  TrainingHooks hooks{.checkpoints = folder / "trial"};
  CHECK(checkpointed_epochs(hooks.checkpoints) == 0);
  static_cast<void>(run("glot", data, {.epochs = 2, .batch = 16}, hooks));
  CHECK(checkpointed_epochs(hooks.checkpoints) == 2);
  Size asked = 0;
  hooks.interrupted = [&]() { return ++asked > 3; };
  CHECK_THROWS_AS(run("glot", data, {.epochs = 4, .batch = 16}, hooks), Interrupted);
  CHECK(checkpointed_epochs(hooks.checkpoints) == 2);
  hooks.interrupted = {};
  std::vector<Size> seen;
  hooks.epoch_done = [&](const EpochRecord& record) { seen.push_back(record.epoch); };
  check_same(whole, run("glot", data, {.epochs = 4, .batch = 16}, hooks));
  CHECK(seen == std::vector<Size>{3, 4});
  check_same(whole, run("glot", data, {.epochs = 4, .batch = 16}, hooks));
}

TEST_CASE("the best epoch is kept beside the last", "[experiments][trainer]") {
  const StoreFolder folder;
  const TrainingHooks hooks{
      .checkpoints = folder / "trial", .keep_best = KeepBest::yes, .metric = "accuracy"};
  static_cast<void>(run("adapool", make_toy_texts(80, 3), {.epochs = 3}, hooks));
  CHECK(std::filesystem::exists(folder / "trial/best.h5"));
  CHECK(std::filesystem::exists(folder / "trial/last.h5"));
}

TEST_CASE("graphs that do not fit the cache change nothing", "[experiments][trainer]") {
  const ToyTexts data = make_toy_texts(80, 4);
  check_same(run("glot", data, {.epochs = 2}), run("glot", data, {.epochs = 2, .graph_cache_mb = 0}));
}

TEST_CASE("a head on pooled texts sees what the readout gives", "[experiments][trainer]") {
  const ToyTexts data = make_toy_texts(50, 5);
  const auto mean = make_readout("mean", 8);
  const std::vector<Size> rows{4, 0, 31};
  const std::vector<Tensor> pooled = pool_texts(*mean, data.texts(), rows);
  REQUIRE(pooled.size() == 1);
  REQUIRE(pooled[0].shape() == Shape{3, 8});
  const Rows tokens = data.sets.rows(31);
  double sum = 0;
  for (Size r = tokens.begin; r < tokens.end; ++r) sum += static_cast<double>(data.x.matrix()(r, 5));
  CHECK(static_cast<double>(pooled[0].matrix()(2, 5)) ==
        Approx(sum / static_cast<double>(tokens.size())).margin(1e-6));

  const MemoryTexts texts = pooled_texts(pooled, {0, 1, 1});
  TextModel model(nullptr, {.dim = 8});
  const TrainingHistory history =
      train(model, texts, texts, {{0, 1, 2}, {2, 1}}, {.epochs = 60, .batch = 2, .lr = 5e-2});
  CHECK(history.last().steps == 120);
  CHECK(history.predictions == std::vector<double>{1, 1});
  CHECK(predict(model, texts, std::vector<Size>{0, 1, 2}) == std::vector<double>{0, 1, 1});
}

TEST_CASE("pairs train a pair classifier or a cosine", "[experiments][trainer]") {
  const ToyTexts a = make_toy_texts(100, 6), b = make_toy_texts(100, 7);
  std::vector<double> same;
  for (std::size_t i = 0; i < 100; ++i) same.push_back(a.labels[i] == b.labels[i] ? 1 : 0);
  const MemoryTexts pairs({{a.x.matrix(), a.sets}, {b.x.matrix(), b.sets}}, same);
  const TextRows rows{first_rows(100), first_rows(100)};
  const TrainingOptions options{.epochs = 25, .batch = 10, .lr = 1e-2};
  TextModel cosine(small_readout("adapool"), {.dim = 8, .num_texts = 2, .task = TextTask::similarity});
  CHECK(train(cosine, pairs, pairs, rows, options).last().metrics.at("spearman") > 0.7);
  TextModel classes(small_readout("glot"), {.dim = 8, .num_texts = 2});
  const TrainingHistory history = train(classes, pairs, pairs, rows, options);
  CHECK(history.last().loss < history.epochs.front().loss);
}

TEST_CASE("a store trains as its states in memory do", "[experiments][trainer]") {
  const StoreFolder folder;
  write_store(folder / "s.h5", {.dtype = StateType::f32});
  const TokenSplit split = TokenStore::open(folder / "s.h5").split("train");
  const StoreTexts stored(split, LayerSelection::last());
  const std::vector<Size> rows = first_rows(split.rows());
  const TokenBatch all = split.read(rows);
  std::vector<double> labels;
  for (const Size row : rows) labels.push_back(static_cast<double>(row % 2));
  const MemoryTexts memory({{all.x.matrix(), all.sets}}, labels);
  TextModel model(make_readout("adapool", split.dim()), {.dim = split.dim()});
  const TrainingHistory history = train(model, memory, memory, {rows, rows}, {.epochs = 1, .batch = 2});
  CHECK(predict(model, stored, rows) == history.predictions);
}

TEST_CASE("training says what is wrong with what it is given", "[experiments][trainer]") {
  ToyTexts data = make_toy_texts(60, 8);
  const MemoryTexts texts = data.texts();
  TextModel model(small_readout("adapool"), {.dim = 8});
  CHECK_THROWS_WITH(train(model, texts, texts, {{}, {0}}, {}),
                    "training: got 0 texts to train and 1 to evaluate; expected at least 1 of each");
  TextModel wide(make_readout("adapool", 9), {.dim = 9});
  CHECK_THROWS_WITH(train(wide, texts, texts, {{0}, {0}}, {}),
                    "training: states are 8 and 8 wide; expected 9 as the model was made for");
  CHECK_THROWS_WITH(TextModel(nullptr, {.dim = 8, .task = TextTask::similarity}),
                    "similarity: got single texts; expected pairs");
  CHECK_THROWS_WITH(MemoryTexts({{data.x.matrix(), data.sets}}, {1, 0}),
                    "texts: 60 sets for 2 labels; expected one per text");
  data.labels[7] = 2;
  CHECK_THROWS_WITH(class_labels(data.texts(), first_rows(60), 2, "toy.h5/train"),
                    "toy.h5/train: row 7: label 2; expected a class from 0 to 1");
  data.labels[7] = std::nan("");
  CHECK_THROWS_AS(class_labels(data.texts(), first_rows(60), 2, "toy.h5/train"), DataError);
}

TEST_CASE("a loss that leaves the finite numbers ends training", "[experiments][trainer]") {
  ToyTexts data = make_toy_texts(60, 9);
  CHECK_THROWS_AS(run("adapool", data, {.epochs = 3, .lr = 1e38}), DivergedError);
  data.x.matrix()(0, 0) = std::numeric_limits<Real>::infinity();
  CHECK_THROWS_WITH(
      run("adapool", data, {.epochs = 1}),
      Catch::Contains("training: the loss is") && Catch::Contains("a lower lr than 0.001 may help"));
}
