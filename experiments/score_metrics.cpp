#include "tarn/core/errors.hpp"
#include "tarn/experiments/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarn {

namespace {

constexpr double least_probability = 1e-15;

void check_lengths(std::string_view where, std::size_t values, std::size_t labels) {
  if (values != labels) {
    throw ShapeError(
        fmt::format("{}: got {} values and {} labels; expected as many of each", where, values, labels));
  }
  if (labels == 0) throw ValueError(fmt::format("{}: got no values; expected at least one", where));
}

void check_finite(std::string_view where, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw ValueError(fmt::format("{}: value {} is {}; expected finite numbers", where, i, values[i]));
  }
}

/// Number of ones; throws for other classes than 0 and 1.
double count_ones(std::string_view where, std::span<const Size> labels) {
  double ones = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != 0 && labels[i] != 1) {
      throw ValueError(
          fmt::format("{}: labels[{}] is class {}; expected classes 0 and 1 alone", where, i, labels[i]));
    }
    ones += static_cast<double>(labels[i]);
  }
  return ones;
}

void check_scores(std::string_view where, std::span<const double> scores, std::span<const Size> labels) {
  check_lengths(where, scores.size(), labels.size());
  check_finite(where, scores);
}

void check_targets(std::string_view where, std::span<const double> predictions,
                   std::span<const double> targets) {
  check_lengths(where, predictions.size(), targets.size());
  check_finite(where, predictions);
  check_finite(where, targets);
}

double squared_error(std::span<const double> predictions, std::span<const double> targets) {
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i)
    sum += (predictions[i] - targets[i]) * (predictions[i] - targets[i]);
  return sum;
}

}  // namespace

std::optional<double> roc_auc(std::span<const double> scores, std::span<const Size> labels) {
  check_scores("roc_auc", scores, labels);
  const double ones = count_ones("roc_auc", labels), zeros = static_cast<double>(labels.size()) - ones;
  if (ones == 0 || zeros == 0) return std::nullopt;
  const std::vector<double> ranks = average_ranks(scores);
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += labels[i] == 1 ? ranks[i] : 0;
  return (sum - ones * (ones + 1) / 2) / (ones * zeros);
}

std::optional<double> average_precision(std::span<const double> scores, std::span<const Size> labels) {
  check_scores("average_precision", scores, labels);
  const double ones = count_ones("average_precision", labels);
  if (ones == 0) return std::nullopt;
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  double sum = 0, hits = 0, new_hits = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    new_hits += static_cast<double>(labels[order[i]]);
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[order[i]]) continue;
    hits += new_hits;
    sum += new_hits / ones * hits / static_cast<double>(i + 1);
    new_hits = 0;
  }
  return sum;
}

double log_loss(std::span<const double> probabilities, std::span<const Size> labels) {
  if (labels.empty()) throw ValueError("log_loss: got no labels; expected at least one");
  const std::size_t classes = probabilities.size() / labels.size();
  if (classes * labels.size() != probabilities.size()) {
    throw ShapeError(fmt::format("log_loss: got {} probabilities for {} labels; expected a row for each",
                                 probabilities.size(), labels.size()));
  }
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= static_cast<Size>(classes)) {
      throw ValueError(
          fmt::format("log_loss: labels[{}] is class {}; expected 0 to {}", i, labels[i], classes - 1));
    }
    const double p = probabilities[i * classes + static_cast<std::size_t>(labels[i])];
    if (!(p >= 0 && p <= 1 + 1e-9)) {
      throw ValueError(fmt::format("log_loss: a probability is {}; expected numbers in [0, 1]", p));
    }
    sum -= std::log(std::clamp(p, least_probability, 1.0));
  }
  return sum / static_cast<double>(labels.size());
}

double mean_absolute_error(std::span<const double> predictions, std::span<const double> targets) {
  check_targets("mae", predictions, targets);
  double sum = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) sum += std::abs(predictions[i] - targets[i]);
  return sum / static_cast<double>(targets.size());
}

double root_mean_square_error(std::span<const double> predictions, std::span<const double> targets) {
  check_targets("rmse", predictions, targets);
  return std::sqrt(squared_error(predictions, targets) / static_cast<double>(targets.size()));
}

double r_squared(std::span<const double> predictions, std::span<const double> targets) {
  check_targets("r2", predictions, targets);
  const double mean =
      std::accumulate(targets.begin(), targets.end(), 0.0) / static_cast<double>(targets.size());
  const std::vector<double> constant(targets.size(), mean);
  const double total = squared_error(constant, targets);
  return total == 0 ? 0 : 1 - squared_error(predictions, targets) / total;
}

MetricSet task_metrics(std::span<const double> scores, std::span<const double> labels, Size num_tasks) {
  check_lengths("task metrics", scores.size(), labels.size());
  const auto tasks = static_cast<std::size_t>(num_tasks);
  double auc = 0, precision = 0, counted = 0;
  for (std::size_t t = 0; t < tasks; ++t) {
    std::vector<double> known_scores;
    std::vector<Size> known_labels;
    for (std::size_t i = t; i < labels.size(); i += tasks) {
      if (std::isnan(labels[i])) continue;
      known_scores.push_back(scores[i]);
      known_labels.push_back(static_cast<Size>(labels[i]));
    }
    if (known_labels.empty()) continue;
    const std::optional<double> area = roc_auc(known_scores, known_labels);
    if (!area) continue;
    auc += *area;
    precision += *average_precision(known_scores, known_labels);
    counted += 1;
  }
  MetricSet metrics;
  if (counted == 0) return metrics;
  metrics.set("roc_auc", auc / counted);
  metrics.set("average_precision", precision / counted);
  return metrics;
}

MetricSet regression_metrics(std::span<const double> predictions, std::span<const double> targets) {
  check_lengths("regression metrics", predictions.size(), targets.size());
  std::vector<double> known_predictions, known_targets;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (std::isnan(targets[i])) continue;
    known_predictions.push_back(predictions[i]);
    known_targets.push_back(targets[i]);
  }
  MetricSet metrics;
  metrics.set("mae", mean_absolute_error(known_predictions, known_targets));
  metrics.set("rmse", root_mean_square_error(known_predictions, known_targets));
  metrics.set("r2", r_squared(known_predictions, known_targets));
  return metrics;
}

}  // namespace tarn
