#pragma once

#include "tarn/experiments/trainer.hpp"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// The budget of an experiment on texts: enough for readouts to converge, or the published one.
enum class TextProtocol { converged, official };
inline std::span<const std::string_view> enum_names(TextProtocol) {
  static constexpr std::array<std::string_view, 2> names{"converged", "official"};
  return names;
}

/// What reads the vectors of a readout without parameters: a trained linear head, or logistic regression.
enum class FixedHead { linear, logistic };
inline std::span<const std::string_view> enum_names(FixedHead) {
  static constexpr std::array<std::string_view, 2> names{"linear", "logistic"};
  return names;
}

/// A readout by name with its options, and the budgets of training.
struct ReadoutPlan {
  std::string readout;
  Value options{Value::Table{}};
  TrainingOptions training;  ///< of a readout that learns
  Size head_epochs = 200;    ///< of a head on pooled vectors
  double ceiling_l2 = 1e-3;  ///< penalty of the logistic regression
};

/// Whether a trial also fits the best linear head, a converged logistic regression on standardised features,
/// or nothing else.
enum class Ceiling { none, beside, alone };

struct TextTrialResult {
  TextModelShape shape;
  TrainingHistory history;          ///< empty where nothing was trained
  Size parameters = 0;              ///< trainable numbers, head included
  std::vector<double> predictions;  ///< on the evaluation texts
  std::vector<double> ceiling;      ///< those of the logistic regression, where one was fit
  std::vector<double> labels;       ///< of the evaluation texts
};

inline namespace TARN_PRECISION {

struct TextTrialData {
  const Texts& train;
  const Texts& evaluation;
  const TextRows& rows;
  TextModelShape shape;
  std::string layers = "last";  ///< of the store that the states come from
};

/// Trains what the plan says: readout and head together or, for a readout without parameters, the head alone
/// on texts that are pooled once. A ceiling is fit only to the classes of readouts without parameters; their
/// similarity is the cosine of the pooled vectors, untrained.
[[nodiscard]] TextTrialResult run_text_trial(const ReadoutPlan& plan, const TextTrialData& data,
                                             Ceiling ceiling, TrainingHooks hooks);

}  // namespace TARN_PRECISION

/// True if the readout has parameters for features of width `dim`.
[[nodiscard]] bool learns(const ReadoutPlan& plan, Size dim);

/// What `results.json` says of a trial: every metric, and where something was trained best_METRIC,
/// best_epoch (with rows for selection also selected_epoch and last_METRIC), steps, for accuracy epochs_to_97
/// and steps_to_97 (null if never), loss and seconds_per_epoch; parameters; logistic_METRIC; for classes
/// `correct`.
[[nodiscard]] Value trial_metrics(const TextTrialResult& result, const std::string& metric);

}  // namespace tarn
