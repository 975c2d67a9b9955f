#pragma once

#include "tarn/experiments/graphs/graph_run_data.hpp"
#include "tarn/experiments/table.hpp"
#include "tarn/experiments/trials.hpp"

#include <string>
#include <vector>

namespace tarn {

/// A row for each readout: protocol, set, features, model, parameters, epochs, seeds, folds, seconds per
/// epoch, the main metric with the standard deviation that the protocol's papers use, its value in the last
/// epochs, and the file that holds every score. `trials` are the finished ones of the plan.
[[nodiscard]] Table protocol_table(const TrialSet& trials, const GraphPlan& plan, const GraphRunData& data,
                                   const std::string& scores);

/// What to know before believing a number: how the protocol chooses, and what it is comparable with.
[[nodiscard]] std::vector<std::string> protocol_notes(const TrialSet& trials, const GraphPlan& plan,
                                                      const GraphRunData& data);

}  // namespace tarn
