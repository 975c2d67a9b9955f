#include "tarn/experiments/graphs/graph_trials.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/trials.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <numeric>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t last_epochs = 10;
constexpr std::array<const char*, 9> test_metrics = {"accuracy", "balanced_accuracy", "macro_f1", "log_loss",
                                                     "roc_auc",  "average_precision", "mae",      "rmse",
                                                     "r2"};

const char* stage_name(GraphStage stage) {
  return stage == GraphStage::selection ? "selection" : stage == GraphStage::retrain ? "retrain" : "test";
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

constexpr std::string_view retrain_prefix = "retrain_";

/// Metrics of a retrained model under names of their own, so that they do not stand beside tests; times keep
/// theirs.
Value as_retrained(const Value& metrics) {
  Value result;
  for (const auto& [name, value] : *metrics.table()) {
    result.set(name.starts_with("seconds") ? name : std::string(retrain_prefix) + name, value);
  }
  return result;
}

void merge_into(Value& metrics, const Value& more) {
  for (const auto& [name, value] : *more.table()) metrics.set(name, value);
}

/// Selection and retraining of `fair`, whose trials come before the tests.
void add_search(std::vector<GraphTrial>& trials, const GraphPlan& plan, const GraphTrial& of,
                GraphStage stage) {
  const Size count = stage == GraphStage::selection ? static_cast<Size>(plan.grid.size()) : plan.run.retrain;
  for (Size i = 0; i < count; ++i) {
    GraphTrial trial = of;
    trial.stage = stage;
    (stage == GraphStage::selection ? trial.point : trial.repeat) = i;
    trials.push_back(trial);
  }
}

}  // namespace

std::vector<GraphTrial> graph_trials(const GraphPlan& plan, const GraphRunData& data) {
  std::vector<GraphTrial> tests;
  for (const std::string& readout : plan.run.readouts) {
    for (const Size seed : *plan.run.seeds) {
      for (std::size_t repeat = 0; repeat < data.folds.size(); ++repeat) {
        for (Size fold = 0; fold < data.num_folds(); ++fold) {
          tests.push_back(
              {.readout = readout, .seed = seed, .repeat = static_cast<Size>(repeat), .fold = fold});
        }
      }
    }
  }
  if (plan.run.protocol != Protocol::fair) return tests;
  std::vector<GraphTrial> trials;
  for (const GraphStage stage : {GraphStage::selection, GraphStage::retrain}) {
    for (const GraphTrial& test : tests) add_search(trials, plan, test, stage);
  }
  trials.insert(trials.end(), tests.begin(), tests.end());
  return trials;
}

Value graph_trial_axes(const GraphTrial& trial, const GraphPlan& plan, const GraphRunData& data) {
  const Protocol protocol = plan.run.protocol;
  Value axes;
  axes.set("dataset", data.set.name());
  axes.set("protocol", std::string(enum_names(protocol)[static_cast<std::size_t>(protocol)]));
  if (protocol == Protocol::fair) axes.set("stage", stage_name(trial.stage));
  axes.set("readout", trial.readout);
  axes.set("seed", trial.seed);
  if (protocol == Protocol::repeated_cv || trial.stage == GraphStage::retrain)
    axes.set("repeat", trial.repeat);
  if (protocol != Protocol::holdout) axes.set("fold", trial.fold);
  if (trial.stage == GraphStage::selection) axes.set("point", trial.point);
  return axes;
}

std::vector<double> epoch_column(std::span<const Value> epochs, const std::string& name) {
  std::vector<double> column;
  for (const Value& epoch : epochs) {
    const Value* value = epoch.find(name);
    const auto number = value == nullptr ? std::nullopt : value->number();
    if (!number) return {};
    column.push_back(*number);
  }
  return column;
}

Better better_of(const std::string& metric) {
  return is_lower_better(metric) ? Better::lower : Better::higher;
}

std::string loss_metric(const GraphTaskInfo& task) {
  return task.task == GraphTask::numbers ? "rmse" : "log_loss";
}

Value training_metrics(std::span<const Value> epochs, const std::string& metric, Size parameters) {
  Value metrics;
  metrics.set("parameters", parameters);
  metrics.set("epochs", static_cast<Size>(epochs.size()));
  for (const char* name : {"steps", "loss", "train_accuracy"}) {
    if (const Value* value = epochs.back().find(name)) metrics.set(name, *value);
  }
  if (const std::vector<double> seconds = epoch_column(epochs, "seconds"); !seconds.empty()) {
    metrics.set("seconds_per_epoch", mean_of(seconds));
  }
  const std::vector<double> column = epoch_column(epochs, metric);
  if (column.empty()) return metrics;
  const std::size_t count = std::min(column.size(), last_epochs);
  metrics.set("last_" + metric, mean_of(std::span(column).last(count)));
  const Size best = best_epoch(column, better_of(metric), OnTie::earliest);
  metrics.set("diagnostic_best_" + metric, column[static_cast<std::size_t>(best - 1)]);
  return metrics;
}

Value metrics_at(std::span<const Value> epochs, Size epoch, const std::string& metric) {
  const Value& line = epochs[static_cast<std::size_t>(epoch - 1)];
  Value metrics;
  for (const char* name : test_metrics) {
    if (const Value* value = line.find(name)) metrics.set(name, *value);
  }
  if (const Value* value = line.find("validation_" + metric)) metrics.set("validation_" + metric, *value);
  metrics.set("epoch", epoch);
  return metrics;
}

inline namespace TARN_PRECISION {

namespace {

/// Random numbers of a trial: the same for all readouts and points, so that they are compared on equal terms.
Rng trial_rng(const GraphTrial& trial) {
  return Rng(static_cast<std::uint64_t>(trial.seed))
      .split("fold")
      .split(static_cast<std::uint64_t>(trial.fold))
      .split("repeat")
      .split(static_cast<std::uint64_t>(trial.repeat));
}

std::vector<Value> lines_of(const std::vector<EpochRecord>& records) {
  std::vector<Value> lines;
  for (const EpochRecord& record : records) lines.push_back(record.value());
  return lines;
}

/// Some graphs leave a metric undefined, as roc_auc where a class is missing.
void require_column(std::span<const Value> epochs, const std::string& metric, const GraphTrial& trial) {
  if (!epoch_column(epochs, metric).empty()) return;
  throw DataError(fmt::format(
      "fold {}: its graphs leave {} undefined; expected both answers to some question", trial.fold, metric));
}

/// The epoch that the validation graphs choose; `watched` is what early stopping looks at.
Size validated_epoch(std::span<const Value> epochs, Protocol protocol, const std::string& watched,
                     const GraphTaskInfo& task) {
  const std::string metric = "validation_" + task.metric, loss = "validation_" + loss_metric(task);
  if (protocol == Protocol::fair)
    return best_epoch(epoch_column(epochs, watched), better_of(watched), OnTie::latest);
  const std::vector<double> values = epoch_column(epochs, metric);
  return protocol == Protocol::holdout ? best_epoch(values, better_of(metric), OnTie::earliest)
                                       : best_epoch(values, better_of(metric), epoch_column(epochs, loss));
}

}  // namespace

Value run_graph_trial(const GraphPlan& plan, const GraphRunData& data, const GraphTrial& trial,
                      const TrainingHooks& hooks) {
  const auto model = make_graph_model(
      plan.model, trial.readout, *plan.readouts.find(trial.readout),
      {.feature_dim = data.set.feature_dim(), .edge_dim = data.set.edge_dim(), .outputs = data.task.outputs});
  const Size repeat = plan.run.protocol == Protocol::repeated_cv ? trial.repeat : 0;
  Fold fold = data.fold(repeat, trial.fold);
  if (trial.stage == GraphStage::selection)
    fold.test.clear();  // nobody looks at the test while settings are chosen
  const std::string& metric = data.task.metric;
  std::function<bool(const std::vector<EpochRecord>&)> enough;
  const std::string watched =
      "validation_" + (plan.run.stop_on == StopOn::loss ? loss_metric(data.task) : metric);
  if (plan.run.protocol == Protocol::fair) {
    enough = [&](const std::vector<EpochRecord>& records) {
      std::vector<double> values;
      for (const EpochRecord& record : records) values.push_back(record.metrics.at(watched));
      return out_of_patience(values, better_of(watched), plan.run.patience);
    };
  }
  const GraphFold graph_fold{data.set, data.task, fold, plan.data.normalize_attributes};
  const TrainingHistory history =
      train_graphs(*model, graph_fold, plan.training(trial.readout, trial_rng(trial)), hooks, enough);
  const std::vector<Value> epochs = lines_of(history.epochs);
  if (!fold.test.empty()) require_column(epochs, metric, trial);
  if (!fold.validation.empty()) require_column(epochs, "validation_" + metric, trial);
  Value metrics = training_metrics(epochs, metric, model->num_parameters());
  if (plan.run.protocol == Protocol::gin_cv) return metrics;
  const Size epoch = validated_epoch(epochs, plan.run.protocol, watched, data.task);
  merge_into(metrics, metrics_at(epochs, epoch, metric));
  return metrics;
}

GraphProtocolRun::GraphProtocolRun(ExperimentContext& context, const GraphPlan& plan,
                                   const GraphRunData& data)
    : context_(context), plan_(plan), data_(data), trials_(graph_trials(plan, data)) {
  for (const GraphTrial& trial : trials_) {
    const bool trains = plan.run.protocol != Protocol::fair || trial.stage != GraphStage::test;
    planned_.push_back(
        {.axes = graph_trial_axes(trial, plan, data), .epochs = trains ? *plan.run.epochs : 0});
  }
}

std::vector<std::string> GraphProtocolRun::run() {
  const std::vector<std::size_t> pending = restore_trials(context_, planned_);
  if (plan_.run.protocol == Protocol::fair) {
    run_stage(pending, GraphStage::selection);
    run_stage(pending, GraphStage::retrain);
    average_retrained();
  } else {
    run_stage(pending, GraphStage::test);
  }
  if (plan_.run.protocol == Protocol::gin_cv) choose_common_epochs();
  return diverged_;
}

void GraphProtocolRun::run_stage(const std::vector<std::size_t>& pending, GraphStage stage) {
  std::vector<std::size_t> own;
  for (const std::size_t trial : pending) {
    if (trials_[trial].stage == stage) own.push_back(trial);
  }
  const std::vector<std::string> diverged =
      run_trials(context_, planned_, own, [&](std::size_t index, const TrainingHooks& hooks) {
        const auto start = Clock::now();
        Value metrics = train(trials_[index], hooks);
        // A search leaves thousands of models behind that nobody reads.
        if (stage == GraphStage::selection) std::filesystem::remove_all(hooks.checkpoints);
        metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
        return trials_[index].stage == GraphStage::retrain ? as_retrained(metrics) : metrics;
      });
  diverged_.insert(diverged_.end(), diverged.begin(), diverged.end());
}

Value GraphProtocolRun::train(const GraphTrial& trial, const TrainingHooks& hooks) const {
  const Size point = trial.stage == GraphStage::retrain ? chosen_point(trial) : trial.point;
  if (point < 0) return run_graph_trial(plan_, data_, trial, hooks);
  const GraphPlan plan = GraphPlan::read(context_.config, plan_.grid[static_cast<std::size_t>(point)]);
  Value metrics = run_graph_trial(plan, data_, trial, hooks);
  if (plan.run.protocol != Protocol::gin_cv) metrics.set("chosen_point", point);
  return metrics;
}

std::optional<std::size_t> GraphProtocolRun::index_of(const GraphTrial& trial) const {
  const auto found = std::find(trials_.begin(), trials_.end(), trial);
  if (found == trials_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - trials_.begin());
}

const Value* GraphProtocolRun::finished(std::size_t trial) const {
  return context_.run.finished(planned_[trial].axes);
}

/// The first of the points with the best validation.
Size GraphProtocolRun::chosen_point(const GraphTrial& trial) const {
  const std::string metric = "validation_" + data_.task.metric;
  Size best = -1;
  double best_value = 0;
  for (Size point = 0; point < static_cast<Size>(plan_.grid.size()); ++point) {
    GraphTrial selection = trial;
    selection.stage = GraphStage::selection;
    selection.repeat = 0;
    selection.point = point;
    const Value* line = finished(*index_of(selection));
    const Value* value = line == nullptr ? nullptr : line->find(metric);
    if (value == nullptr || !value->number()) continue;
    const double own = *value->number();
    const bool better = better_of(metric) == Better::higher ? own > best_value : own < best_value;
    if (best >= 0 && !better) continue;
    best = point;
    best_value = own;
  }
  if (best < 0) {
    throw DivergedError(fmt::format("fold {}: every point of the grid left the finite numbers", trial.fold));
  }
  return best;
}

/// Means over the retrained models of each fold.
void GraphProtocolRun::average_retrained() {
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (trials_[i].stage != GraphStage::test || finished(i) != nullptr) continue;
    std::map<std::string, std::vector<double>> values;
    std::vector<std::string> order;
    for (Size n = 0; n < plan_.run.retrain; ++n) {
      GraphTrial retrained = trials_[i];
      retrained.stage = GraphStage::retrain;
      retrained.repeat = n;
      const Value* line = finished(*index_of(retrained));
      if (line == nullptr) break;
      for (const auto& [name, value] : *line->table()) {
        const bool prefixed = name.starts_with(retrain_prefix);
        if (!(prefixed || name.starts_with("seconds")) || !value.number()) continue;
        const std::string own = prefixed ? name.substr(retrain_prefix.size()) : name;
        if (values[own].empty()) order.push_back(own);
        values[own].push_back(*value.number());
      }
    }
    const auto parameters = values.find("parameters");
    if (parameters == values.end() || static_cast<Size>(parameters->second.size()) < plan_.run.retrain)
      continue;
    Value metrics;
    for (const std::string& name : order) metrics.set(name, mean_of(values[name]));
    context_.run.finish_trial(planned_[i].axes, metrics);
  }
}

/// gin-cv's one epoch for all folds of a readout and seed.
void GraphProtocolRun::choose_common_epochs() {
  std::map<std::pair<std::string, Size>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < trials_.size(); ++i) groups[{trials_[i].readout, trials_[i].seed}].push_back(i);
  const std::string& metric = data_.task.metric;
  for (const auto& [group, members] : groups) {
    std::vector<std::vector<double>> curves;
    for (const std::size_t i : members) {
      if (finished(i) != nullptr)
        curves.push_back(epoch_column(context_.run.epochs(planned_[i].axes), metric));
    }
    if (curves.size() != members.size()) continue;
    const Size epoch = common_best_epoch(curves, better_of(metric));
    for (const std::size_t i : members) {
      Value metrics = *finished(i);
      if (const Value* known = metrics.find("epoch"); known != nullptr && *known == Value(epoch)) continue;
      merge_into(metrics, metrics_at(context_.run.epochs(planned_[i].axes), epoch, metric));
      context_.run.finish_trial(planned_[i].axes, metrics);
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
