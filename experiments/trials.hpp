#pragma once

#include "tarn/core/real.hpp"
#include "tarn/core/value.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {

/// One finished trial of an experiment, or one epoch of it: where it stands and what was measured.
struct Trial {
  std::vector<std::pair<std::string, Value>> axes;
  std::vector<std::pair<std::string, double>> metrics;
  /// Which evaluation items were right, as `pack_correct` writes it; "" if not kept.
  std::string correct;

  /// Null if the trial has no such axis.
  [[nodiscard]] const Value& axis(std::string_view name) const;
  [[nodiscard]] std::optional<double> metric(std::string_view name) const;
};

/// Trials with the names that occur in them, in the order of first appearance.
struct TrialSet {
  std::vector<Trial> trials;
  std::vector<std::string> axes;
  std::vector<std::string> metrics;

  void add(Trial trial);
};

/// Splits flat objects (`trials` of results.json, lines of metrics.jsonl) into axes and metrics. Text and
/// truth values are axes; so are the numbers called ratio, seed, fold, repeat, train, layer, distance, length
/// or width, and those named in `axes`. All other numbers are metrics; null is a metric that was not reached.
/// Throws DataError, naming `where` and the entry, for anything else.
[[nodiscard]] TrialSet read_trials(const Value::List& objects, const std::string& where,
                                   std::span<const std::string> axes = {});

/// Axes along which the same thing is repeated: seed, fold, repeat. Scores are paired along them.
[[nodiscard]] bool is_repeat_axis(std::string_view name);
/// Metrics that are shares or correlations, which tables print times 100.
[[nodiscard]] bool is_share(std::string_view metric);
/// Losses and errors.
[[nodiscard]] bool is_lower_better(std::string_view metric);
/// Text as it is, numbers as short as they read back, null as "".
[[nodiscard]] std::string axis_text(const Value& value);

/// `summary` of results.json: one object per cell with its axes (repeats left out), and for each metric
/// METRIC_mean, METRIC_std, METRIC_low, METRIC_high (95 % t interval; null where one trial leaves them
/// undefined), and `trials`.
[[nodiscard]] Value summarise_trials(const TrialSet& set);

/// Which predictions equal their label, as "COUNT:HEX", four items a digit with the first in the highest bit.
/// A trial that holds it as `correct` can be compared item by item with any other.
[[nodiscard]] std::string pack_correct(std::span<const Size> predictions, std::span<const Size> labels);
/// Throws DataError for text that `pack_correct` did not write.
[[nodiscard]] std::vector<bool> unpack_correct(std::string_view packed);

}  // namespace tarn
