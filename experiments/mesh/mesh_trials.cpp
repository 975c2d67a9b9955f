#include "tarn/experiments/mesh/mesh_trials.hpp"

#include "tarn/experiments/mesh/mesh_baselines.hpp"
#include "tarn/experiments/mesh/mesh_metrics.hpp"
#include "tarn/experiments/mesh/mesh_pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t last_epochs = 10;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// "front legs" to "front_legs", as a metric may be called.
std::string as_name(const std::string& text) {
  std::string name;
  for (const char c : text) name += c == ' ' ? '_' : c;
  return name;
}

void set_all(Value& metrics, const MetricSet& more) {
  for (const auto& [name, value] : more.values()) metrics.set(name, value);
}

void add_training(Value& metrics, const TrainingHistory& history, const std::string& metric,
                  Size parameters) {
  std::vector<double> column;
  for (const EpochRecord& epoch : history.epochs) column.push_back(epoch.metrics.at(metric));
  const std::size_t count = std::min(column.size(), last_epochs);
  metrics.set("last_" + metric,
              std::accumulate(column.end() - static_cast<std::ptrdiff_t>(count), column.end(), 0.0) /
                  static_cast<double>(count));
  metrics.set("diagnostic_best_" + metric, *std::max_element(column.begin(), column.end()));
  metrics.set("loss", history.last().loss);
  metrics.set("epochs", static_cast<Size>(history.epochs.size()));
  metrics.set("parameters", parameters);
  metrics.set("seconds_per_epoch", history.seconds_per_epoch());
}

Size count_parameters(MeshNetwork& network) {
  Size count = 0;
  for (const Parameter* p : network.parameters()) count += p->value.size();
  return count;
}

/// The edge accuracies of MeshCNN's protocol, where the set has labels of mesh edges.
void add_edge_accuracies(MetricSet& metrics, const MeshSet& set, const MeshProblem& problem, const Fold& fold,
                         std::span<const Size> predictions) {
  double hard = 0, soft = 0;
  bool weighted = true;
  for (const Size number : fold.test) {
    const LabelledMesh& mesh = set.meshes[idx(number)];
    if (mesh.edge_labels.empty()) return;
    weighted = weighted && !mesh.edge_weights.empty();
    std::vector<double> weights = mesh.edge_weights;
    if (weights.empty()) weights.resize(mesh.edge_labels.size() * idx(problem.num_classes));
    const std::size_t faces = mesh.mesh.faces.size();
    const EdgeAccuracy own =
        edge_accuracy(mesh.mesh, predictions.first(faces), mesh.edge_labels, weights, problem.num_classes);
    hard += own.hard;
    soft += own.soft;
    predictions = predictions.subspan(faces);
  }
  const auto count = static_cast<double>(fold.test.size());
  metrics.set("hard_edge_accuracy", hard / count);
  if (weighted) metrics.set("soft_edge_accuracy", soft / count);
}

}  // namespace

std::string mesh_metric(MeshTask task) {
  return task == MeshTask::classification ? "accuracy" : "face_accuracy";
}

inline namespace TARN_PRECISION {

std::vector<MeshTrial> mesh_trials(const MeshPlan& plan, const MeshRunData& data, MeshTask task) {
  std::vector<MeshTrial> trials;
  for (const std::string& readout : plan.run.readouts) {
    const auto& methods = mesh_methods(task);
    const auto method =
        std::find_if(methods.begin(), methods.end(), [&](const MeshMethod& m) { return m.name == readout; });
    for (std::size_t problem = 0; problem < data.problems.size(); ++problem) {
      for (const Size seed : plan.run.seeds) {
        for (std::size_t partition = 0; partition < data.partitions.size(); ++partition)
          trials.push_back({*method, problem, partition, seed});
      }
    }
  }
  return trials;
}

Value mesh_trial_axes(const MeshTrial& trial, const MeshRunData& data) {
  Value axes;
  axes.set("dataset", data.problems[trial.problem].name);
  axes.set("split", data.split);
  axes.set("readout", trial.method.name);
  axes.set("seed", trial.seed);
  axes.set("fold", data.partitions[trial.partition]);
  return axes;
}

MetricSet mesh_metrics(const MeshRunData& data, const MeshProblem& problem, const Fold& fold, MeshTask task,
                       std::span<const Size> predictions) {
  std::vector<Size> labels;
  if (task == MeshTask::classification) {
    for (const Size mesh : fold.test) labels.push_back(data.set.meshes[idx(mesh)].label);
    const MetricSet all = classification_metrics(predictions, labels, problem.num_classes);
    MetricSet metrics;
    for (const char* name : {"accuracy", "macro_f1"}) metrics.set(name, all.at(name));
    return metrics;
  }
  std::vector<double> areas;
  std::vector<Size> offsets{0};
  for (const Size mesh : fold.test) {
    const std::vector<Size>& parts = data.set.meshes[idx(mesh)].face_labels;
    const std::vector<double>& own = data.graphs[idx(mesh)].areas;
    labels.insert(labels.end(), parts.begin(), parts.end());
    areas.insert(areas.end(), own.begin(), own.end());
    offsets.push_back(static_cast<Size>(labels.size()));
  }
  const FaceAccuracy faces = face_accuracy(predictions, labels, areas, Segments(offsets));
  const std::vector<double> ious = class_ious(predictions, labels, problem.num_classes);
  MetricSet metrics;
  metrics.set("face_accuracy", faces.accuracy);
  metrics.set("area_weighted_accuracy", faces.area_weighted_accuracy);
  metrics.set("mean_iou", mean_iou(ious));
  for (std::size_t part = 0; part < ious.size(); ++part) {
    if (ious[part] >= 0) metrics.set(as_name(problem.class_names[part]) + "_iou", ious[part]);
  }
  add_edge_accuracies(metrics, data.set, problem, fold, predictions);
  return metrics;
}

namespace {

/// Which test meshes are right; of classification alone, faces are too many.
void add_correct(Value& metrics, const MeshRunData& data, const Fold& fold,
                 std::span<const Size> predictions) {
  std::vector<Size> labels;
  for (const Size mesh : fold.test) labels.push_back(data.set.meshes[idx(mesh)].label);
  metrics.set("correct", pack_correct(predictions, labels));
}

std::vector<Size> whole_numbers(const std::vector<double>& values) {
  std::vector<Size> numbers;
  for (const double v : values) numbers.push_back(static_cast<Size>(v));
  return numbers;
}

Value channels(const ChannelStats& stats) {
  Value value;
  value.set("mean", Value::List(stats.mean.begin(), stats.mean.end()));
  value.set("std", Value::List(stats.std.begin(), stats.std.end()));
  return value;
}

/// What a checkpoint must say so that its network can be used without the training meshes.
Value model_card(const MeshPlan& plan, const MeshTrial& trial, const MeshProblem& problem,
                 const MeshFeatureStats& stats) {
  Value card;
  card.set("network", trial.method.network);
  card.set("method", trial.method.name);
  card.set("options", *plan.networks.find(trial.method.table));
  card.set("graph", write_options(plan.graph));
  card.set("classes", Value::List(problem.class_names.begin(), problem.class_names.end()));
  card.set("primal", channels(stats.primal));
  card.set("dual", channels(stats.dual));
  return card;
}

MeshSamples samples_of(const MeshPlan& plan, const MeshRunData& data, const Fold& fold, Size seed) {
  return MeshSamples(data.set, data.graphs, fold.train, fold.test,
                     {.graph = plan.graph,
                      .augment = plan.augment,
                      .ratios = plan.graph.ratios,
                      .redraw = plan.augment.redraw,
                      .test_copies = plan.augment.test_copies,
                      .seed = static_cast<std::uint64_t>(seed)});
}

}  // namespace

Value run_mesh_trial(const MeshPlan& plan, const MeshRunData& data, MeshTask task, const MeshTrial& trial,
                     const TrainingHooks& hooks, const std::filesystem::path& run) {
  const auto start = std::chrono::steady_clock::now();
  const MeshProblem& problem = data.problems[trial.problem];
  const Fold& fold = problem.folds[trial.partition];
  const MeshMetrics metrics_of = [&](std::span<const Size> predictions) {
    return mesh_metrics(data, problem, fold, task, predictions);
  };
  std::vector<Size> predictions;
  Value training{Value::Table{}};
  if (const auto network = plan.make_network(trial.method, problem.num_classes)) {
    MeshSamples samples = samples_of(plan, data, fold, trial.seed);
    TrainingHooks own_hooks = hooks;
    own_hooks.model = model_card(plan, trial, problem, samples.stats());
    const TrainingHistory history =
        train_meshes(*network, samples, plan.graph.configuration, plan.run,
                     static_cast<std::uint64_t>(trial.seed), metrics_of, own_hooks);
    predictions = whole_numbers(history.predictions);
    add_training(training, history, mesh_metric(task), count_parameters(*network));
    const MeshViews views{.data = data,
                          .problem = problem,
                          .fold = fold,
                          .task = task,
                          .predictions = predictions,
                          .configuration = plan.graph.configuration};
    const std::string name = RunDirectory::trial_name(mesh_trial_axes(trial, data));
    if (trial.seed == plan.run.seeds.front() && plan.run.pictures > 0)
      draw_pictures(*network, samples, views, plan.run.pictures, run / "pictures", name);
    if (!plan.run.clusters.empty())
      write_clusters(*network, samples, views, std::filesystem::path(plan.run.clusters) / name);
  } else {
    predictions = task == MeshTask::classification
                      ? forest_predictions(data.set, problem, fold, static_cast<std::uint64_t>(trial.seed))
                      : majority_predictions(data.set, problem, fold);
  }
  Value metrics{Value::Table{}};
  set_all(metrics, metrics_of(predictions));
  for (const auto& [name, value] : *training.table()) metrics.set(name, value);
  if (task == MeshTask::classification) add_correct(metrics, data, fold, predictions);
  metrics.set("seconds", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return metrics;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
