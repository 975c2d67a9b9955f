#pragma once

#include "tarn/experiments/graphs/graph_options.hpp"
#include "tarn/experiments/graphs/graph_task.hpp"
#include "tarn/experiments/run_directory.hpp"

#include <string>
#include <vector>

namespace tarn {

/// What a run works on: a set and its folds.
struct GraphRunData {
  GraphSet set;
  GraphTaskInfo task;
  std::string split;                     ///< "gin10_seed0", "stratified, seed 0"
  std::vector<std::vector<Fold>> folds;  ///< [repeat][fold]
  std::vector<std::string> warnings;

  [[nodiscard]] const Fold& fold(Size repeat, Size number) const {
    return folds[static_cast<std::size_t>(repeat)][static_cast<std::size_t>(number)];
  }
  [[nodiscard]] Size num_folds() const { return static_cast<Size>(folds.front().size()); }
};

/// Reads or generates the set of a plan and divides it as its protocol says. Throws what the readers throw,
/// ConfigError for a split that the set has not, DataError for folds that leak or lack something.
[[nodiscard]] GraphRunData load_graph_run(const GraphPlan& plan, const GraphPreset& preset);

/// Keeps the folds of a run as splits.json in its directory. Throws ConfigError if another process left other
/// folds there: the data has changed since.
void keep_folds(const RunDirectory& run, const GraphRunData& data);

}  // namespace tarn
