#include "tarn/experiments/stress_trials.hpp"

#include <algorithm>
#include <chrono>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

std::vector<PlannedTrial> planned_stress_trials(const StressPlan& plan) {
  std::vector<PlannedTrial> planned;
  std::vector<StressCase> settings;
  for (const StressTrial& trial : plan.trials) {
    auto group = std::find(settings.begin(), settings.end(), trial.setting);
    if (group == settings.end()) group = settings.insert(group, trial.setting);
    const bool learned = !trial.control && learns(trial.plan, 8);
    planned.push_back({.axes = trial.axes(),
                       .epochs = planned_epochs(trial, plan.options),
                       .epoch_cost = trial.graph != "none" ? 1
                                     : learned             ? 0.2
                                                           : 0.005,
                       .group = group - settings.begin()});
  }
  return planned;
}

inline namespace TARN_PRECISION {

Value run_stress_trial(const StressPlan& plan, const StressTrial& trial, const StressData& data,
                       const TrainingHooks& hooks) {
  const auto start = Clock::now();
  Value metrics;
  if (trial.control) {
    metrics.set("accuracy", data.control(trial.plan.readout));
  } else {
    const Ceiling ceiling = plan.options.head == FixedHead::logistic ? Ceiling::alone : Ceiling::beside;
    metrics = trial_metrics(run_text_trial(trial.plan, data.trial_data(), ceiling, hooks), "accuracy");
  }
  metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
  return metrics;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
