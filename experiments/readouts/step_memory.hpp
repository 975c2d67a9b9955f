#pragma once

#include "tarn/experiments/graphs/graph_trials.hpp"
#include "tarn/experiments/text_trial.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Most bytes of values, gradients and scratch in one training step of readout and head on the first batch of
/// the training texts. The states themselves, parameters and token graphs lie outside. The same for any
/// number of threads.
[[nodiscard]] Size step_bytes(const ReadoutPlan& plan, const TextTrialData& data);

/// The same for the whole model of a trial on graphs: backbone, readout and head.
[[nodiscard]] Size step_bytes(const GraphPlan& plan, const GraphRunData& data, const GraphTrial& trial);

}  // namespace TARN_PRECISION
}  // namespace tarn
