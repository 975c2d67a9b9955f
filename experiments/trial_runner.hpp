#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/training.hpp"
#include "tarn/experiments/trials.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

struct PlannedTrial {
  Value axes;
  Size epochs = 0;
  double epoch_cost = 1;  ///< about how long an epoch takes, against other trials
  Size group = 0;         ///< trials of a group share data
};

/// Trains one trial and returns its metrics. The hooks keep its checkpoints, epochs and progress.
using RunTrial = std::function<Value(std::size_t trial, const TrainingHooks& hooks)>;

/// Takes over what an earlier process left of the plan, and returns the trials that are still to run: group
/// by group, the longest first.
[[nodiscard]] std::vector<std::size_t> restore_trials(ExperimentContext& context,
                                                      const std::vector<PlannedTrial>& plan);

/// Warns where products in bfloat16 are asked for and this processor has none.
void warn_of_emulated_products(ProductPrecision products, Console& console);

/// Runs the trials of `pending`, started in this order: side by side, each on one thread, or one after
/// another on all threads where there are fewer trials than threads. The same bits either way. A trial that
/// leaves the finite numbers does not stop the others.
///
/// Returns one message per trial that diverged. Throws Interrupted after all checkpoints are written.
[[nodiscard]] std::vector<std::string> run_trials(ExperimentContext& context,
                                                  const std::vector<PlannedTrial>& plan,
                                                  const std::vector<std::size_t>& pending,
                                                  const RunTrial& run_trial);

/// Trials that run side by side share the budget of graph caches. `trials` have a ReadoutPlan `plan`.
template <class Trials>
void share_graph_cache(Trials& trials, std::size_t pending) {
  const Size side_by_side =
      std::max<Size>(1, std::min<Size>(Threads::available(), static_cast<Size>(pending)));
  for (auto& trial : trials) trial.plan.training.graph_cache_mb /= side_by_side;
}

/// Finished trials of a plan as the report reads them; `axes` names numbers that are axes (see read_trials).
[[nodiscard]] TrialSet finished_trials(const RunDirectory& run, const std::vector<PlannedTrial>& plan,
                                       std::span<const std::string> axes = {});

/// Writes the results, then throws DivergedError if any trial diverged.
void finish_run(ExperimentContext& context, const std::vector<PlannedTrial>& plan, const RunSummary& summary,
                const std::vector<std::string>& diverged);

}  // namespace tarn
