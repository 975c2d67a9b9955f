#pragma once

#include "tarn/experiments/stress_data.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <vector>

namespace tarn {

/// The trials of a plan in its order; those of one setting share their texts.
[[nodiscard]] std::vector<PlannedTrial> planned_stress_trials(const StressPlan& plan);

inline namespace TARN_PRECISION {

/// Trains one trial on the data of its setting, or looks up what a control reaches: see `trial_metrics`, and
/// `seconds`.
[[nodiscard]] Value run_stress_trial(const StressPlan& plan, const StressTrial& trial, const StressData& data,
                                     const TrainingHooks& hooks);

}  // namespace TARN_PRECISION
}  // namespace tarn
