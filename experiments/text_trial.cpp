#include "tarn/experiments/text_trial.hpp"

#include "tarn/core/logistic_regression.hpp"
#include "tarn/experiments/trained_readout.hpp"
#include "tarn/experiments/trials.hpp"

namespace tarn {

namespace {

constexpr double goal = 0.97;

std::vector<Size> as_classes(std::span<const double> values) {
  return {values.begin(), values.end()};
}

std::vector<double> labels_of(const Texts& texts, std::span<const Size> rows) {
  std::vector<double> labels;
  for (const Size row : rows) labels.push_back(texts.label(row));
  return labels;
}

void set_training_metrics(Value& metrics, const TrainingHistory& history, const std::string& metric) {
  if (history.last().metrics.find("selection_" + metric)) {
    metrics.set("selected_epoch", history.selected);
    metrics.set("last_" + metric, history.last().metrics.at(metric));
  }
  const EpochRecord& best = history.best(metric);
  metrics.set("best_" + metric, best.metrics.at(metric));
  metrics.set("best_epoch", best.epoch);
  metrics.set("steps", history.last().steps);
  if (metric == "accuracy") {
    const EpochRecord* reached = history.first_above(metric, goal);
    metrics.set("epochs_to_97", reached == nullptr ? Value() : Value(reached->epoch));
    metrics.set("steps_to_97", reached == nullptr ? Value() : Value(reached->steps));
  }
  metrics.set("loss", history.last().loss);
  metrics.set("seconds_per_epoch", history.seconds_per_epoch());
}

}  // namespace

bool learns(const ReadoutPlan& plan, Size dim) {
  return !make_readout(plan.readout, dim, plan.options)->parameters().empty();
}

Value trial_metrics(const TextTrialResult& result, const std::string& metric) {
  Value metrics;
  const MetricSet reached = text_metrics(result.predictions, result.labels, result.shape);
  for (const auto& [name, value] : reached.values()) metrics.set(name, value);
  if (!result.history.epochs.empty()) set_training_metrics(metrics, result.history, metric);
  metrics.set("parameters", result.parameters);
  if (!result.ceiling.empty()) {
    metrics.set("logistic_" + metric, text_metrics(result.ceiling, result.labels, result.shape).at(metric));
  }
  if (result.shape.task == TextTask::classes) {
    metrics.set("correct", pack_correct(as_classes(result.predictions), as_classes(result.labels)));
  }
  return metrics;
}

inline namespace TARN_PRECISION {

namespace {

/// One row per text, the sides of a pair side by side; `memory` holds them where there are two.
ConstMatrixView joined(const std::vector<Tensor>& sides, Tensor& memory) {
  if (sides.size() == 1) return sides[0].matrix();
  const Size rows = sides[0].shape().rows(), width = sides[0].shape().cols();
  memory = Tensor({rows, width * static_cast<Size>(sides.size())});
  for (Size s = 0; s < static_cast<Size>(sides.size()); ++s) {
    const ConstMatrixView side = sides[static_cast<std::size_t>(s)].matrix();
    for (Size i = 0; i < rows; ++i) std::copy_n(side.row(i), width, memory.matrix().row(i) + s * width);
  }
  return memory.matrix();
}

std::vector<double> fit_ceiling(ConstMatrixView train, const std::vector<double>& labels,
                                ConstMatrixView evaluation, Size num_classes, double l2) {
  const LinearClassifier best = fit_logistic_regression(train, as_classes(labels), num_classes, {.l2 = l2});
  const std::vector<Size> classes = predict(best, evaluation);
  return {classes.begin(), classes.end()};
}

/// Pooled once: one matrix per side, the rows to learn from before those that choose the epoch.
struct PooledSplit {
  std::vector<Tensor> vectors;
  std::vector<double> labels;
  TextRows rows;
};

PooledSplit pool_training(Readout& readout, const TextTrialData& data) {
  std::vector<Size> source = data.rows.train;
  source.insert(source.end(), data.rows.selection.begin(), data.rows.selection.end());
  PooledSplit pooled{pool_texts(readout, data.train, source), labels_of(data.train, source), {}};
  pooled.rows.train = first_rows(static_cast<Size>(data.rows.train.size()));
  for (std::size_t i = data.rows.train.size(); i < source.size(); ++i)
    pooled.rows.selection.push_back(static_cast<Size>(i));
  return pooled;
}

/// A head on texts that are pooled already.
void train_head(TextTrialResult& result, const ReadoutPlan& plan, PooledSplit& train_split,
                const std::vector<Tensor>& evaluation_vectors, const TrainingHooks& hooks) {
  TextModelShape shape = result.shape;
  shape.dim = train_split.vectors[0].shape().cols();
  TextModel model(nullptr, shape);
  result.parameters = model.num_parameters();
  TrainingOptions training = plan.training;
  training.epochs = plan.head_epochs;
  const MemoryTexts train_texts = pooled_texts(train_split.vectors, train_split.labels);
  const MemoryTexts evaluation_texts = pooled_texts(evaluation_vectors, result.labels);
  train_split.rows.evaluation = first_rows(evaluation_texts.rows());
  result.history = train(model, train_texts, evaluation_texts, train_split.rows, training, hooks);
  result.predictions = result.history.predictions;
}

void run_fixed(TextTrialResult& result, Readout& readout, const ReadoutPlan& plan, const TextTrialData& data,
               Ceiling ceiling, const TrainingHooks& hooks) {
  const std::vector<Tensor> evaluation_vectors = pool_texts(readout, data.evaluation, data.rows.evaluation);
  if (data.shape.task == TextTask::similarity) {
    result.predictions = row_cosines(evaluation_vectors[0].matrix(), evaluation_vectors[1].matrix());
    return;
  }
  PooledSplit train_split = pool_training(readout, data);
  if (ceiling != Ceiling::none) {
    const auto num_train = static_cast<Size>(data.rows.train.size());
    Tensor train_memory, evaluation_memory;
    const ConstMatrixView features = joined(train_split.vectors, train_memory);
    result.ceiling =
        fit_ceiling(features.row_block(0, num_train),
                    {train_split.labels.begin(), train_split.labels.begin() + num_train},
                    joined(evaluation_vectors, evaluation_memory), data.shape.num_classes, plan.ceiling_l2);
    result.predictions = result.ceiling;
    result.parameters = data.shape.num_classes * (features.cols + 1);
  }
  if (ceiling != Ceiling::alone) train_head(result, plan, train_split, evaluation_vectors, hooks);
}

}  // namespace

TextTrialResult run_text_trial(const ReadoutPlan& plan, const TextTrialData& data, Ceiling ceiling,
                               TrainingHooks hooks) {
  hooks.model =
      ReadoutRecord{
          .readout = plan.readout, .options = plan.options, .dim = data.shape.dim, .layer = data.layers}
          .value();
  TextTrialResult result{.shape = data.shape,
                         .history = {},
                         .parameters = 0,
                         .predictions = {},
                         .ceiling = {},
                         .labels = labels_of(data.evaluation, data.rows.evaluation)};
  auto readout = make_readout(plan.readout, data.shape.dim, plan.options);
  if (readout->parameters().empty()) {
    run_fixed(result, *readout, plan, data, ceiling, hooks);
    return result;
  }
  TextModel model(std::move(readout), data.shape);
  result.parameters = model.num_parameters();
  result.history = train(model, data.train, data.evaluation, data.rows, plan.training, hooks);
  result.predictions = result.history.predictions;
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
