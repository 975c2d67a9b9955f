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

/// `spearman`, `pearson` and their mean, `correlation`.
[[nodiscard]] MetricSet correlation_metrics(std::span<const double> scores, std::span<const double> targets);

}  // namespace tarn
