#include "tarn/experiments/graphs/graph_trainer.hpp"

#include "tarn/core/parallel.hpp"
#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/experiments/graphs/splits.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

using namespace tarn;

namespace {

const std::vector<std::string> all_readouts = {
    "sum", "mean", "max", "gin-readout", "jumping-knowledge", "scalar-mix", "histograph", edge_free};

Value options_of(const std::string& readout) {
  Value options{Value::Table{}};
  if (readout == "histograph") options.set("dim", 8);
  return options;
}

GraphModelOptions small_model() {
  GraphModelOptions options;
  options.widths = {8, 8};
  options.conv_options = Value(Value::Table{});
  options.conv_options.set("norm", "batch-norm");
  options.head_hidden = 8;
  return options;
}

/// A set with its task and one fold of five.
struct Data {
  explicit Data(const GraphRecords& records, const GraphSetOptions& options = {})
      : set(GraphSet::make(records, options)),
        task(task_of(set)),
        fold(stratified_folds(set.num_graphs(), set.classes(), 5, 0)[0]) {}
  GraphSet set;
  GraphTaskInfo task;
  Fold fold;

  [[nodiscard]] GraphFold with(Normalisation attributes = Normalisation::none) const {
    return {set, task, fold, attributes};
  }
  [[nodiscard]] std::unique_ptr<GraphModel> model(const std::string& readout = "sum",
                                                  const GraphModelOptions& options = small_model()) const {
    return make_graph_model(options, readout, options_of(readout),
                            {set.feature_dim(), set.edge_dim(), task.outputs});
  }
};

Data small_chords() {
  return Data(generate_chord_graphs({.graphs = 60, .max_nodes = 24}));
}

/// All numbers of a model.
std::vector<Real> numbers_of(GraphModel& model) {
  std::vector<Real> numbers;
  for (const auto& [name, p] : model.state()) {
    const std::span<const Real> flat = std::as_const(p->value).flat();
    numbers.insert(numbers.end(), flat.begin(), flat.end());
  }
  return numbers;
}

const GraphTrainingOptions quick{.epochs = 3, .batch = 8, .lr = 0.01, .lr_step = 2, .rng = Rng(3)};

}  // namespace

TEST_CASE("in evaluation a graph's output does not depend on its batch", "[experiments][graph-trainer]") {
  const Data data = small_chords();
  std::vector<Size> all, back;
  for (Size g = 0; g < data.set.num_graphs(); ++g) all.push_back(g);
  back.assign(all.rbegin(), all.rend());
  for (const std::string& readout : all_readouts) {
    INFO(readout);
    const auto model = data.model(readout);
    static_cast<void>(train_graphs(*model, data.with(), quick));
    const std::vector<double> forth = predict_graphs(*model, data.with(), all),
                              reversed = predict_graphs(*model, data.with(), back);
    std::size_t right_forth = 0, right_reversed = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t j = all.size() - 1 - i;
      const std::vector<double> alone = predict_graphs(*model, data.with(), {&all[i], 1});
      for (std::size_t c = 0; c < 2; ++c) {
        const double scale = 1 + std::abs(alone[c]);
        CHECK(forth[2 * i + c] == Approx(alone[c]).margin(1e-4 * scale));
        CHECK(reversed[2 * j + c] == Approx(alone[c]).margin(1e-4 * scale));
      }
      const Size label = data.set.classes()[i];
      right_forth += predicted_class(std::span(forth).subspan(2 * i, 2)) == label ? 1 : 0;
      right_reversed += predicted_class(std::span(reversed).subspan(2 * j, 2)) == label ? 1 : 0;
    }
    CHECK(right_forth == right_reversed);
  }
}

TEST_CASE("tests in any order have the same accuracy", "[experiments][graph-trainer]") {
  Data data = small_chords();
  const auto first = data.model();
  const TrainingHistory ascending = train_graphs(*first, data.with(), quick);
  std::reverse(data.fold.test.begin(), data.fold.test.end());
  const auto second = data.model();
  const TrainingHistory descending = train_graphs(*second, data.with(), quick);
  CHECK(numbers_of(*first) == numbers_of(*second));
  for (std::size_t e = 0; e < 3; ++e) {
    CHECK(ascending.epochs[e].metrics.at("accuracy") == descending.epochs[e].metrics.at("accuracy"));
  }
}

TEST_CASE("graphs that are tested leave no trace in a model", "[experiments][graph-trainer]") {
  GraphRecords records = generate_chord_graphs({.graphs = 40, .max_nodes = 20});
  records.node_attributes.cols = 1;
  for (Size v = 0; v < records.num_nodes(); ++v) {
    records.node_attributes.values.push_back(std::sin(static_cast<double>(v)) * 10 + 3);
  }
  const auto trained = [&] {
    const Data data(records, {.use_node_attributes = true});
    const auto model = data.model();
    static_cast<void>(train_graphs(*model, data.with(Normalisation::standard), quick));
    return numbers_of(*model);
  };
  const std::vector<Real> before = trained();
  // Attributes and labels of the tested graphs become others.
  const Fold fold = Data(records, {.use_node_attributes = true}).fold;
  for (const Size g : fold.test) {
    for (Size v = records.node_offsets[static_cast<std::size_t>(g)];
         v < records.node_offsets[static_cast<std::size_t>(g + 1)]; ++v) {
      records.node_attributes.values[static_cast<std::size_t>(v)] *= -50;
      records.node_labels.values[static_cast<std::size_t>(v)] ^= 1;
    }
  }
  CHECK(trained() == before);
  // A training graph does leave one.
  records.node_attributes
      .values[static_cast<std::size_t>(records.node_offsets[static_cast<std::size_t>(fold.train[0])])] += 1;
  CHECK(trained() != before);
}

TEST_CASE("training goes on with the same bits, on any number of threads", "[experiments][graph-trainer]") {
  const Data data = small_chords();
  for (const std::string& readout : all_readouts) {
    INFO(readout);
    const ScratchDirectory scratch;
    const auto whole = data.model(readout), part = data.model(readout), rest = data.model(readout);
    std::vector<EpochRecord> straight, resumed;
    {
      const Threads threads(1);
      straight = train_graphs(*whole, data.with(), quick).epochs;
    }
    const Threads threads(2);
    const TrainingHooks hooks{.checkpoints = scratch / "trial"};
    GraphTrainingOptions two = quick;
    two.epochs = 2;
    static_cast<void>(train_graphs(*part, data.with(), two, hooks));
    resumed = train_graphs(*rest, data.with(), quick, hooks).epochs;
    CHECK(numbers_of(*rest) == numbers_of(*whole));
    for (std::size_t e = 0; e < 3; ++e) {
      CHECK(resumed[e].loss == straight[e].loss);
      for (const auto& [name, value] : straight[e].metrics.values())
        CHECK(resumed[e].metrics.at(name) == value);
    }
  }
}

TEST_CASE("a last batch too small for batch norm joins the one before", "[experiments][graph-trainer]") {
  GraphRecords records = generate_chord_graphs({.graphs = 20, .max_nodes = 16});
  // Single nodes, of which a batch of one cannot be normalised.
  for (int i = 0; i < 21; ++i) {
    records.node_offsets.push_back(records.num_nodes() + 1);
    records.edge_offsets.push_back(records.num_edges());
    records.node_labels.values.push_back(i % 2);
    records.classes.push_back(i % 2);
  }
  Data data(records);
  data.fold = {};
  for (Size g = 0; g < 41; ++g) data.fold.train.push_back(g);
  data.fold.test = {0};
  data.fold.train.erase(data.fold.train.begin());
  GraphTrainingOptions options = quick;
  options.epochs = 6;
  options.batch = 13;  // 40 graphs: the fourth batch is a single graph, sometimes a single node
  const auto model = data.model();
  CHECK_NOTHROW(train_graphs(*model, data.with(), options));
}

TEST_CASE("an epoch may draw its batches afresh", "[experiments][graph-trainer]") {
  const Data data = small_chords();
  GraphTrainingOptions options = quick;
  options.draws = 5;
  const auto model = data.model();
  CHECK(train_graphs(*model, data.with(), options).last().steps == 15);
}

TEST_CASE("parts of a model learn at their own rates, gradients are clipped",
          "[experiments][graph-trainer]") {
  const Data data = small_chords();
  const auto model = data.model("histograph"), start = data.model("histograph");
  start->init(quick.rng.split("model"));
  GraphTrainingOptions options = quick;
  options.readout_lr = 0;
  options.clip = 1e-3;
  options.warmup = 4;
  static_cast<void>(train_graphs(*model, data.with(), options));
  const auto before = start->state(), after = model->state();
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].first);
    const bool same = std::equal(before[i].second->value.flat().begin(), before[i].second->value.flat().end(),
                                 after[i].second->value.flat().begin());
    if (before[i].first.starts_with("layer_pool.")) CHECK(same);
    if (before[i].first == "head.0.weight") CHECK(!same);
    if (before[i].first == "backbone.embed.weight") CHECK(!same);
  }
}

TEST_CASE("histograph says each epoch how its division fares", "[experiments][graph-trainer]") {
  const Data data = small_chords();
  const auto model = data.model("histograph");
  const TrainingHistory history = train_graphs(*model, data.with(), quick);
  for (const EpochRecord& record : history.epochs) {
    for (const char* figure : {"smallest_sum", "largest_weight", "guarded"})
      CHECK(record.metrics.find(figure));
  }
  const auto plain = data.model("sum");
  CHECK(!train_graphs(*plain, data.with(), quick).last().metrics.find("smallest_sum"));
}

TEST_CASE("questions with gaps and real targets are learned", "[experiments][graph-trainer]") {
  GraphRecords records = generate_chord_graphs({.graphs = 100, .max_nodes = 20});
  records.targets_of_graphs.cols = 2;
  for (std::size_t g = 0; g < records.classes.size(); ++g) {
    records.targets_of_graphs.values.push_back(static_cast<double>(records.classes[g]));
    records.targets_of_graphs.values.push_back(g % 3 == 0 ? std::nan("")
                                                          : 1 - static_cast<double>(records.classes[g]));
  }
  records.classes.clear();
  GraphTrainingOptions options = quick;
  options.epochs = 12;
  const Data questions(records);
  CHECK(questions.task.metric == "roc_auc");
  const auto asked = questions.model();
  CHECK(train_graphs(*asked, questions.with(), options).last().metrics.at("roc_auc") > 0.8);

  for (double& t : records.targets_of_graphs.values) t = 1000 + 10 * t;
  const Data numbers(records);
  CHECK(numbers.task.metric == "mae");
  const auto guessed = numbers.model();
  const MetricSet metrics = train_graphs(*guessed, numbers.with(), options).last().metrics;
  CHECK(metrics.at("mae") < 4.5);  // always the mean: 5
  CHECK(metrics.at("r2") > 0);
}

TEST_CASE("a rate that is too large is told", "[experiments][graph-trainer][errors]") {
  const Data data = small_chords();
  GraphTrainingOptions options = quick;
  options.lr = 1e30;
  const auto model = data.model();
  CHECK_THROWS_AS(train_graphs(*model, data.with(), options), DivergedError);
  const Fold nothing;
  CHECK_THROWS_WITH(train_graphs(*model, {data.set, data.task, nothing}, quick),
                    "training: got no graphs to train on; expected at least 1");
}

TEST_CASE("models count their parameters as published", "[experiments][graph-trainer]") {
  GraphModelOptions options;
  options.conv_options = Value(Value::Table{});
  options.conv_options.set("norm", "batch-norm");
  const GraphModelShape mutag{.feature_dim = 7, .edge_dim = 4, .outputs = 2};
  CHECK(make_graph_model(options, "sum", {}, mutag)->num_parameters() == 47682);
  CHECK(make_graph_model(options, "mean", {}, {.feature_dim = 3})->num_parameters() == 47426);
  Value histograph;
  histograph.set("dim", 64);
  histograph.set("layer_norm", true);
  CHECK(make_graph_model(options, "histograph", histograph, mutag)->num_parameters() == 76802);
}
