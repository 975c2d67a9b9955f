#pragma once

#include "tarn/experiments/comparison_groups.hpp"
#include "tarn/experiments/readouts/readout_comparison_options.hpp"

#include <string>
#include <vector>

namespace tarn {

/// What a comparison found, ready for its tables. Points into the TrialSet of `comparison`.
struct ReadoutFindings {
  Comparison comparison;                ///< readouts by tasks
  std::vector<PairedComparison> tests;  ///< all pairs of readouts in every task, Holm over all of them
  std::vector<RankedColumn> ranked;
  std::optional<RankedMethods> over_tasks;
};
/// Throws ValueError without trials.
[[nodiscard]] ReadoutFindings find_differences(const TrialSet& trials);

/// A row for each readout, by mean rank over the tasks: parameters, seconds per epoch and per trial, memory
/// of a step, accuracy with its interval in each task, and from how many readouts the tests tell it apart.
/// Under it who was left out, and why.
[[nodiscard]] Table readout_table(const ReadoutFindings& findings, const std::vector<LeftOut>& left_out);

/// How the numbers were obtained, and per task what the tests allow to say of the best readouts: no more.
[[nodiscard]] std::vector<std::string> readout_notes(const ReadoutFindings& findings,
                                                     const ReadoutComparisonPlan& plan);

}  // namespace tarn
