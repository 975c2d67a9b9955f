#pragma once

#include "tarn/core/real.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {

// All functions here throw ShapeError if the two sides differ in length, and ValueError if they are empty, a
// score is not finite, or a class is outside what the function takes.

/// Share of predictions that equal their label.
[[nodiscard]] double accuracy(std::span<const Size> predictions, std::span<const Size> labels);

/// Matthews correlation of two classes, (tp tn - fp fn) / sqrt((tp+fp)(tp+fn)(tn+fp)(tn+fn)); 0 when a factor
/// of the denominator is 0. Classes other than 0 and 1 are an error.
[[nodiscard]] double mcc(std::span<const Size> predictions, std::span<const Size> labels);

/// F1 of class 1, 2 tp / (2 tp + fp + fn); 0 when that is 0 / 0. Classes other than 0 and 1 are an error.
[[nodiscard]] double f1(std::span<const Size> predictions, std::span<const Size> labels);

/// Mean of the F1 of the classes that occur in `labels`.
[[nodiscard]] double macro_f1(std::span<const Size> predictions, std::span<const Size> labels);

/// Mean of the recalls of the classes that occur in `labels`.
[[nodiscard]] double balanced_accuracy(std::span<const Size> predictions, std::span<const Size> labels);

/// Area under the ROC curve of scores for class 1: the share of pairs of a 1 and a 0 in which the 1 has the
/// higher score, ties half. nullopt where one of the classes 0 and 1 does not occur.
[[nodiscard]] std::optional<double> roc_auc(std::span<const double> scores, std::span<const Size> labels);

/// Average precision of scores for class 1: sum over thresholds of (recall_k - recall_{k-1}) precision_k,
/// equal scores at one threshold. nullopt where class 1 does not occur.
[[nodiscard]] std::optional<double> average_precision(std::span<const double> scores,
                                                      std::span<const Size> labels);

/// Mean of -log of the label's probability. probabilities [N, C] row-major, in [0, 1]; below 1e-15 they count
/// as that.
[[nodiscard]] double log_loss(std::span<const double> probabilities, std::span<const Size> labels);

/// Mean of |prediction - target|, root of the mean square, and 1 - residual / total sum of squares (0 where
/// the targets are constant). All three throw for values that are not finite.
[[nodiscard]] double mean_absolute_error(std::span<const double> predictions,
                                         std::span<const double> targets);
[[nodiscard]] double root_mean_square_error(std::span<const double> predictions,
                                            std::span<const double> targets);
[[nodiscard]] double r_squared(std::span<const double> predictions, std::span<const double> targets);

/// Pearson correlation; 0 when a side is constant.
[[nodiscard]] double pearson(std::span<const double> scores, std::span<const double> targets);

/// Pearson correlation of the average ranks.
[[nodiscard]] double spearman(std::span<const double> scores, std::span<const double> targets);

/// Rank of each value from 1, ascending; equal values share the mean of their ranks. Values must not be NaN.
[[nodiscard]] std::vector<double> average_ranks(std::span<const double> values);

/// The metrics of one evaluation, by name, in the order in which tables show them.
class MetricSet {
 public:
  void set(std::string_view name, double value);
  /// Throws ValueError with the known names.
  [[nodiscard]] double at(std::string_view name) const;
  [[nodiscard]] std::optional<double> find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, double>>& values() const { return values_; }

 private:
  std::vector<std::pair<std::string, double>> values_;
};

/// `accuracy` and `macro_f1`; with two classes `mcc` and `f1` too.
[[nodiscard]] MetricSet classification_metrics(std::span<const Size> predictions,
                                               std::span<const Size> labels, Size num_classes);

/// `roc_auc` and `average_precision` of several tasks of classes 0 and 1, scores and labels [N, T] row-major:
/// means over the tasks in which both classes occur. A missing label is NaN and left out. Where no task has
/// both classes the set is empty.
[[nodiscard]] MetricSet task_metrics(std::span<const double> scores, std::span<const double> labels,
                                     Size num_tasks);

/// `mae`, `rmse` and `r2`, missing targets (NaN) left out. Throws ValueError if all are missing.
[[nodiscard]] MetricSet regression_metrics(std::span<const double> predictions,
                                           std::span<const double> targets);

/// `spearman`, `pearson` and their mean, `correlation`.
[[nodiscard]] MetricSet correlation_metrics(std::span<const double> scores, std::span<const double> targets);

}  // namespace tarn
