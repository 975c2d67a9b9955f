#pragma once

#include "tarn/experiments/mesh/mesh_run_data.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// One method on one partition of one problem with one seed.
struct MeshTrial {
  MeshMethod method;
  std::size_t problem = 0;
  std::size_t partition = 0;  ///< place in `MeshRunData::partitions`
  Size seed = 0;
};

inline namespace TARN_PRECISION {

/// The trials of a run: methods, then problems, seeds and partitions.
[[nodiscard]] std::vector<MeshTrial> mesh_trials(const MeshPlan& plan, const MeshRunData& data,
                                                 MeshTask task);

/// dataset, split, readout, seed, fold (the partition's number).
[[nodiscard]] Value mesh_trial_axes(const MeshTrial& trial, const MeshRunData& data);

/// Metrics of predictions on a fold's test meshes. Classification: accuracy, macro_f1. Segmentation:
/// face_accuracy (correct faces over all), area_weighted_accuracy, mean_iou and PART_iou of the parts that
/// occur; where all test meshes have labels of mesh edges, hard_edge_accuracy, and with weights of parts per
/// edge soft_edge_accuracy, means over the meshes.
[[nodiscard]] MetricSet mesh_metrics(const MeshRunData& data, const MeshProblem& problem, const Fold& fold,
                                     MeshTask task, std::span<const Size> predictions);

/// Trains (or, for a baseline, computes) a trial and returns its metrics: those of the last epoch, that of
/// the last ten epochs as last_METRIC, that of the best test epoch as diagnostic_best_METRIC, and costs.
/// Pictures and clusters go to `run`.
[[nodiscard]] Value run_mesh_trial(const MeshPlan& plan, const MeshRunData& data, MeshTask task,
                                   const MeshTrial& trial, const TrainingHooks& hooks,
                                   const std::filesystem::path& run);

}  // namespace TARN_PRECISION

/// The metric that a task is known by: accuracy, face_accuracy.
[[nodiscard]] std::string mesh_metric(MeshTask task);

}  // namespace tarn
