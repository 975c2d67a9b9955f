#include "tarn/experiments/graphs/graph_trainer.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Size evaluation_batch = 128;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

GraphBatcher make_batcher(GraphModel& model, const GraphFold& data) {
  FeatureScale nodes, edges;
  if (data.attributes == Normalisation::standard) {
    nodes = node_scale(data.set, data.fold.train);
    edges = edge_scale(data.set, data.fold.train);
  }
  return GraphBatcher(data.set, model.edge_features(), std::move(nodes), std::move(edges));
}

/// Shift and size of real targets over the training graphs.
class TargetScale {
 public:
  explicit TargetScale(const GraphFold& data) {
    if (data.task.task != GraphTask::numbers) return;
    for (Size t = 0; t < data.task.outputs; ++t) {
      std::vector<double> known;
      for (const Size g : data.fold.train) {
        const double target = data.set.targets().row(g)[idx(t)];
        if (!std::isnan(target)) known.push_back(target);
      }
      double sum = 0, squares = 0;
      for (const double v : known) sum += v;
      const double mean = known.empty() ? 0 : sum / static_cast<double>(known.size());
      for (const double v : known) squares += (v - mean) * (v - mean);
      const double deviation = known.empty() ? 0 : std::sqrt(squares / static_cast<double>(known.size()));
      mean_.push_back(mean);
      deviation_.push_back(deviation > 0 ? deviation : 1);
    }
  }
  [[nodiscard]] double scaled(double target, Size t) const {
    return mean_.empty() ? target : (target - mean_[idx(t)]) / deviation_[idx(t)];
  }
  [[nodiscard]] double restored(double output, Size t) const {
    return mean_.empty() ? output : output * deviation_[idx(t)] + mean_[idx(t)];
  }

 private:
  std::vector<double> mean_, deviation_;
};

/// Outputs of a model for lists of graphs; its tape and batches are used again by every pass.
class GraphPredictor {
 public:
  GraphPredictor(GraphModel& model, const GraphFold& data)
      : model_(model), outputs_(data.task.outputs), batcher_(make_batcher(model, data)), scale_(data) {}

  std::vector<double> run(std::span<const Size> graphs) {
    std::vector<double> outputs;
    outputs.reserve(graphs.size() * idx(outputs_));
    for (std::size_t begin = 0; begin < graphs.size(); begin += idx(evaluation_batch)) {
      const std::size_t count = std::min(graphs.size() - begin, idx(evaluation_batch));
      tape_.reset();
      const ConstMatrixView y =
          model_.forward(tape_, batcher_.assemble(graphs.subspan(begin, count))).value();
      for (Size i = 0; i < y.rows; ++i) {
        for (Size t = 0; t < y.cols; ++t) outputs.push_back(scale_.restored(static_cast<double>(y(i, t)), t));
      }
    }
    return outputs;
  }

 private:
  GraphModel& model_;
  Size outputs_;
  GraphBatcher batcher_;
  TargetScale scale_;
  Tape tape_;
};

/// The batches of one epoch as runs of a list of graphs.
struct EpochPlan {
  std::vector<Size> order;
  std::vector<Size> offsets{0};

  [[nodiscard]] std::span<const Size> batch(std::size_t b) const {
    return std::span(order).subspan(idx(offsets[b]), idx(offsets[b + 1] - offsets[b]));
  }
  [[nodiscard]] std::size_t batches() const { return offsets.size() - 1; }
};

class GraphTraining {
 public:
  GraphTraining(GraphModel& model, const GraphFold& data, const GraphTrainingOptions& options,
                const TrainingHooks& hooks)
      : model_(model),
        data_(data),
        options_(options),
        hooks_(hooks),
        batcher_(make_batcher(model, data)),
        scale_(data),
        predictor_(model, data),
        optimiser_(make_adam(model.parameters(), {.lr = options.lr, .weight_decay = options.weight_decay})) {
    optimiser_->set_lr_scales(lr_scales());
  }

  TrainingHistory run(const std::function<bool(const std::vector<EpochRecord>&)>& enough) {
    TrainingHistory history;
    history.epochs = run_epochs({.model = model_,
                                 .optimiser = *optimiser_,
                                 .epochs = options_.epochs,
                                 .init = [this] { model_.init(options_.rng.split("model")); },
                                 .epoch = [this](Size epoch) { return run_epoch(epoch); },
                                 .enough = enough},
                                hooks_);
    history.selected = history.epochs.empty() ? 0 : history.last().epoch;
    return history;
  }

 private:
  [[nodiscard]] std::vector<double> lr_scales() {
    std::vector<double> scales;
    for (const auto& [name, parameter] : model_.state()) {
      if (!parameter->trainable) continue;
      scales.push_back(name.starts_with("head.")       ? options_.head_lr
                       : name.starts_with("backbone.") ? options_.backbone_lr
                                                       : options_.readout_lr);
    }
    return scales;
  }

  [[nodiscard]] EpochPlan plan_epoch(Size epoch) const {
    const std::vector<Size>& train = data_.fold.train;
    const auto count = static_cast<Size>(train.size());
    const Rng rng = options_.rng.split("order").split(static_cast<std::uint64_t>(epoch));
    EpochPlan plan;
    const auto add = [&](std::span<const Size> places) {
      for (const Size place : places) plan.order.push_back(train[idx(place)]);
      plan.offsets.push_back(static_cast<Size>(plan.order.size()));
    };
    if (options_.draws > 0) {
      for (Size draw = 0; draw < options_.draws; ++draw) {
        const std::vector<Size> order = permutation(count, rng.split(static_cast<std::uint64_t>(draw)));
        add(std::span(order).first(idx(std::min(count, options_.batch))));
      }
      return plan;
    }
    const std::vector<Size> order = permutation(count, rng);
    for (Size begin = 0; begin < count; begin += options_.batch) {
      add(std::span(order).subspan(idx(begin), idx(std::min(options_.batch, count - begin))));
    }
    if (plan.batches() > 1 && too_small(plan.batch(plan.batches() - 1))) {
      plan.offsets.erase(plan.offsets.end() - 2);
    }
    return plan;
  }

  [[nodiscard]] bool too_small(std::span<const Size> graphs) const {
    const SmallestBatch smallest = model_.smallest_batch();
    Size nodes = 0;
    for (const Size g : graphs) nodes += data_.set.num_nodes(g);
    return nodes < smallest.nodes || static_cast<Size>(graphs.size()) < smallest.graphs;
  }

  EpochRecord run_epoch(Size epoch) {
    const auto start = Clock::now();
    const EpochPlan plan = plan_epoch(epoch);
    const auto halvings = static_cast<double>((epoch - 1) / options_.lr_step);
    const double factor = std::pow(options_.lr_decay, halvings);
    double loss = 0;
    right_ = 0;
    for (std::size_t b = 0; b < plan.batches(); ++b) {
      hooks_.check_interruption();
      loss += step(plan.batch(b), factor) * static_cast<double>(plan.batch(b).size());
    }
    const auto seen = static_cast<double>(plan.order.size());
    EpochRecord record{.epoch = epoch,
                       .steps = optimiser_->steps(),
                       .loss = loss / seen,
                       .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
                       .metrics = {}};
    if (data_.task.task == GraphTask::classes) record.metrics.set("train_accuracy", right_ / seen);
    for (const auto& [name, value] : model_.take_figures()) record.metrics.set(name, value);
    measure(record.metrics, data_.fold.validation, "validation_");
    measure(record.metrics, data_.fold.test, "");
    return record;
  }

  double step(std::span<const Size> graphs, double factor) {
    const GraphBatch& batch = batcher_.assemble(graphs);
    const Size number = optimiser_->steps();
    tape_.reset(
        {.training = true, .rng = options_.rng.split("step").split(static_cast<std::uint64_t>(number))});
    const Var outputs = model_.forward(tape_, batch);
    const Var loss = loss_of(outputs, batch);
    const auto value = static_cast<double>(loss.value().data[0]);
    require_finite_loss(value, number + 1, options_.lr);
    if (data_.task.task == GraphTask::classes) count_right(outputs.value(), batch.classes);
    tape_.backward(loss);
    if (options_.clip > 0) clip_norm(parameters_, options_.clip);
    const Schedule warmup{.warmup = options_.warmup};
    optimiser_->set_lr_factor(factor * warmup.factor(number));
    optimiser_->step();
    return value;
  }

  [[nodiscard]] Var loss_of(Var outputs, const GraphBatch& batch) {
    if (data_.task.task == GraphTask::classes) return cross_entropy(outputs, batch.classes);
    targets_.clear();
    for (const Size g : batch.graphs) {
      for (Size t = 0; t < data_.task.outputs; ++t) {
        targets_.push_back(scale_.scaled(data_.set.targets().row(g)[idx(t)], t));
      }
    }
    return data_.task.task == GraphTask::questions ? task_cross_entropy(outputs, targets_)
                                                   : mean_squared_error(outputs, targets_);
  }

  void count_right(ConstMatrixView logits, std::span<const Size> classes) {
    for (Size i = 0; i < logits.rows; ++i) {
      const Real* const row = logits.row(i);
      right_ += std::max_element(row, row + logits.cols) - row == classes[idx(i)] ? 1 : 0;
    }
  }

  void measure(MetricSet& metrics, const std::vector<Size>& graphs, const std::string& prefix) {
    if (graphs.empty()) return;
    const std::vector<double> outputs = predictor_.run(graphs);
    require_finite_predictions(outputs, optimiser_->steps(), options_.lr);
    const MetricSet own = graph_metrics(data_.task, data_.set, graphs, outputs);
    for (const auto& [name, value] : own.values()) metrics.set(prefix + name, value);
  }

  GraphModel& model_;
  const GraphFold& data_;
  const GraphTrainingOptions& options_;
  const TrainingHooks& hooks_;
  GraphBatcher batcher_;
  TargetScale scale_;
  GraphPredictor predictor_;
  std::unique_ptr<Optimiser> optimiser_;
  std::vector<Parameter*> parameters_ = model_.parameters();
  Tape tape_;
  std::vector<double> targets_;
  double right_ = 0;
};

}  // namespace

TrainingHistory train_graphs(GraphModel& model, const GraphFold& data, const GraphTrainingOptions& options,
                             const TrainingHooks& hooks,
                             const std::function<bool(const std::vector<EpochRecord>&)>& enough) {
  if (data.fold.train.empty()) throw ValueError("training: got no graphs to train on; expected at least 1");
  return GraphTraining(model, data, options, hooks).run(enough);
}

std::vector<double> predict_graphs(GraphModel& model, const GraphFold& data, std::span<const Size> graphs) {
  return GraphPredictor(model, data).run(graphs);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
