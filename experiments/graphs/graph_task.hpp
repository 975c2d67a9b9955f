#pragma once

#include "tarn/datasets/graphs/graph_set.hpp"
#include "tarn/experiments/metrics.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// What a model says of a graph: its class, the answers to yes-or-no questions, or real numbers.
enum class GraphTask { classes, questions, numbers };

/// What a set asks for.
struct GraphTaskInfo {
  GraphTask task = GraphTask::classes;
  Size outputs = 2;    ///< numbers a model gives a graph: classes, questions or targets
  std::string metric;  ///< the main one: accuracy, roc_auc or mae
};

inline namespace TARN_PRECISION {

/// Classes where a set has them; else questions where every known target is 0 or 1; else numbers. Throws
/// DataError for classes fewer than two.
[[nodiscard]] GraphTaskInfo task_of(const GraphSet& set);

/// Metrics of what a model gave some graphs, outputs [B, outputs()] row-major: for classes (of logits)
/// accuracy, balanced_accuracy, macro_f1, log_loss and with two classes roc_auc and average_precision; for
/// questions (of logits) roc_auc and average_precision; for numbers mae, rmse and r2. What the graphs leave
/// undefined is left out.
[[nodiscard]] MetricSet graph_metrics(const GraphTaskInfo& info, const GraphSet& set,
                                      std::span<const Size> graphs, std::span<const double> outputs);

}  // namespace TARN_PRECISION

/// Index of the largest of a row of outputs, the lowest on a tie.
[[nodiscard]] Size predicted_class(std::span<const double> logits);

}  // namespace tarn
