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

void set_progress_metrics(Value& metrics, const TrainingHistory& history, const std::string& metric) {
  for (const auto& [name, value] : history.last().metrics.values()) metrics.set(name, value);
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
  std::vector<Size> predictions = result.ceiling;
  const std::vector<Size> labels = result.ceiling.empty() ? std::vector<Size>{} : as_classes(result.labels);
  if (result.history.epochs.empty()) {
    metrics.set(metric, accuracy(predictions, labels));
  } else {
    set_progress_metrics(metrics, result.history, metric);
    predictions.clear();
  }
  metrics.set("parameters", result.parameters);
  if (!result.ceiling.empty()) metrics.set("logistic_accuracy", accuracy(result.ceiling, labels));
  if (predictions.empty() && metric == "accuracy") predictions = as_classes(result.history.predictions);
  if (!predictions.empty()) metrics.set("correct", pack_correct(predictions, as_classes(result.labels)));
  return metrics;
}

inline namespace TARN_PRECISION {

namespace {

TextTrialResult run_fixed(Readout& readout, const ReadoutPlan& plan, const TextTrialData& data,
                          Ceiling ceiling, const TrainingHooks& hooks) {
  const std::vector<Tensor> train_vectors = pool_texts(readout, data.train, data.rows.train);
  const std::vector<Tensor> evaluation_vectors = pool_texts(readout, data.evaluation, data.rows.evaluation);
  const std::vector<double> train_labels = labels_of(data.train, data.rows.train);
  TextTrialResult result{.history = {},
                         .parameters = 0,
                         .ceiling = {},
                         .labels = labels_of(data.evaluation, data.rows.evaluation)};
  if (ceiling != Ceiling::none && data.shape.task == TextTask::classes && data.shape.num_texts == 1) {
    const LinearClassifier best =
        fit_logistic_regression(train_vectors[0].matrix(), as_classes(train_labels), data.shape.num_classes);
    result.ceiling = predict(best, evaluation_vectors[0].matrix());
    result.parameters = static_cast<Size>(best.weights.size() + best.bias.size());
    if (ceiling == Ceiling::alone) return result;
  }
  TextModelShape shape = data.shape;
  shape.dim = train_vectors[0].shape().cols();
  TextModel model(nullptr, shape);
  result.parameters = model.num_parameters();
  TrainingOptions training = plan.training;
  training.epochs = plan.head_epochs;
  const MemoryTexts train_texts = pooled_texts(train_vectors, train_labels);
  const MemoryTexts evaluation_texts = pooled_texts(evaluation_vectors, result.labels);
  const TextRows rows{first_rows(train_texts.rows()), first_rows(evaluation_texts.rows())};
  result.history = train(model, train_texts, evaluation_texts, rows, training, hooks);
  return result;
}

}  // namespace

TextTrialResult run_text_trial(const ReadoutPlan& plan, const TextTrialData& data, Ceiling ceiling,
                               TrainingHooks hooks) {
  hooks.model =
      ReadoutRecord{
          .readout = plan.readout, .options = plan.options, .dim = data.shape.dim, .layer = data.layers}
          .value();
  auto readout = make_readout(plan.readout, data.shape.dim, plan.options);
  if (readout->parameters().empty()) return run_fixed(*readout, plan, data, ceiling, hooks);
  TextModel model(std::move(readout), data.shape);
  TextTrialResult result{.history = {},
                         .parameters = model.num_parameters(),
                         .ceiling = {},
                         .labels = labels_of(data.evaluation, data.rows.evaluation)};
  result.history = train(model, data.train, data.evaluation, data.rows, plan.training, hooks);
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
