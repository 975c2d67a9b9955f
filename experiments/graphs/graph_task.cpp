#include "tarn/experiments/graphs/graph_task.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Probabilities of a row of logits.
std::vector<double> softmax(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double sum = 0;
  for (const double z : logits) {
    p.push_back(std::exp(z - largest));
    sum += p.back();
  }
  for (double& v : p) v /= sum;
  return p;
}

}  // namespace

Size predicted_class(std::span<const double> logits) {
  return std::max_element(logits.begin(), logits.end()) - logits.begin();
}

inline namespace TARN_PRECISION {

namespace {

MetricSet class_metrics(const GraphSet& set, std::span<const Size> graphs, std::span<const double> outputs) {
  const std::size_t width = idx(set.num_classes());
  std::vector<Size> labels, predictions;
  std::vector<double> probabilities, of_one;
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    const std::span<const double> row = outputs.subspan(i * width, width);
    labels.push_back(set.classes()[idx(graphs[i])]);
    predictions.push_back(predicted_class(row));
    const std::vector<double> p = softmax(row);
    probabilities.insert(probabilities.end(), p.begin(), p.end());
    of_one.push_back(p.back());
  }
  MetricSet metrics;
  metrics.set("accuracy", accuracy(predictions, labels));
  metrics.set("balanced_accuracy", balanced_accuracy(predictions, labels));
  metrics.set("macro_f1", macro_f1(predictions, labels));
  metrics.set("log_loss", log_loss(probabilities, labels));
  if (width != 2) return metrics;
  if (const auto area = roc_auc(of_one, labels)) metrics.set("roc_auc", *area);
  if (const auto precision = average_precision(of_one, labels)) metrics.set("average_precision", *precision);
  return metrics;
}

std::vector<double> targets_of(const GraphSet& set, std::span<const Size> graphs) {
  std::vector<double> targets;
  for (const Size g : graphs) {
    const std::span<const double> row = set.targets().row(g);
    targets.insert(targets.end(), row.begin(), row.end());
  }
  return targets;
}

/// `log_loss` is the mean over what is known.
MetricSet question_metrics(const GraphTaskInfo& info, std::span<const double> targets,
                           std::span<const double> logits) {
  MetricSet metrics = task_metrics(logits, targets, info.outputs);
  double sum = 0, known = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (std::isnan(targets[i])) continue;
    const double x = logits[i];
    sum += std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - targets[i] * x;
    known += 1;
  }
  if (known > 0) metrics.set("log_loss", sum / known);
  return metrics;
}

}  // namespace

GraphTaskInfo task_of(const GraphSet& set) {
  if (!set.classes().empty()) {
    if (set.num_classes() < 2) {
      throw DataError(fmt::format("{}: has {} class; expected at least 2", set.name(), set.num_classes()));
    }
    return {GraphTask::classes, set.num_classes(), "accuracy"};
  }
  const std::vector<double>& targets = set.targets().values;
  const bool questions =
      std::all_of(targets.begin(), targets.end(), [](double t) { return std::isnan(t) || t == 0 || t == 1; });
  return {questions ? GraphTask::questions : GraphTask::numbers, set.targets().cols,
          questions ? "roc_auc" : "mae"};
}

MetricSet graph_metrics(const GraphTaskInfo& info, const GraphSet& set, std::span<const Size> graphs,
                        std::span<const double> outputs) {
  switch (info.task) {
    case GraphTask::classes:
      return class_metrics(set, graphs, outputs);
    case GraphTask::questions:
      return question_metrics(info, targets_of(set, graphs), outputs);
    default:
      return regression_metrics(outputs, targets_of(set, graphs));
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
