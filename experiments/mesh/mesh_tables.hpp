#pragma once

#include "tarn/experiments/mesh/mesh_run_data.hpp"
#include "tarn/experiments/table.hpp"
#include "tarn/experiments/trials.hpp"

namespace tarn {

/// The table of a run, a row per set (or class) and method: means and standard deviations over seeds and
/// partitions of the task's metrics, the difference from the task's baseline where it ran with its corrected
/// resampled t test (Nadeau & Bengio 2003, with the number of test over that of training meshes), and costs.
/// With several classes the last rows are means over them.
[[nodiscard]] Table mesh_table(const TrialSet& trials, const MeshPlan& plan, const MeshRunData& data,
                               MeshTask task);

}  // namespace tarn
