#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/graphs/graph_run_data.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tarn {

/// What a trial is for. `selection` tries a point of the grid, `retrain` trains the chosen one again, `test`
/// stands for the retrained ones of a fold; other protocols have `test` alone.
enum class GraphStage { selection, retrain, test };

/// One training of a run.
struct GraphTrial {
  std::string readout;
  Size seed = 0;
  Size repeat = 0;  ///< of the folds, or number of a retraining
  Size fold = 0;
  GraphStage stage = GraphStage::test;
  Size point = -1;  ///< of the grid

  friend bool operator==(const GraphTrial&, const GraphTrial&) = default;
};

/// All trials of a plan in the order of its results: readouts, seeds, repeats, folds; for `fair` first the
/// selection, then the retraining, then the tests.
[[nodiscard]] std::vector<GraphTrial> graph_trials(const GraphPlan& plan, const GraphRunData& data);

/// dataset, protocol, [stage], readout, seed, [repeat], [fold], [point], whatever the protocol distinguishes.
[[nodiscard]] Value graph_trial_axes(const GraphTrial& trial, const GraphPlan& plan,
                                     const GraphRunData& data);

/// A column of epochs as a run directory holds them; empty unless every epoch has it.
[[nodiscard]] std::vector<double> epoch_column(std::span<const Value> epochs, const std::string& name);

/// Whether higher is better.
[[nodiscard]] Better better_of(const std::string& metric);
/// What early stopping and ties between settings look at beside the main metric: log_loss or rmse.
[[nodiscard]] std::string loss_metric(const GraphTaskInfo& task);

/// What a trial's epochs came to: parameters, epochs, steps, loss and train_accuracy of the last epoch,
/// seconds, seconds_per_epoch, and with test graphs last_METRIC (mean of the last ten epochs, or of all when
/// fewer) and diagnostic_best_METRIC (its own best epoch, comparable with nothing).
[[nodiscard]] Value training_metrics(std::span<const Value> epochs, const std::string& metric,
                                     Size parameters);
/// The test metrics at an epoch, validation_METRIC where there is one, and `epoch`.
[[nodiscard]] Value metrics_at(std::span<const Value> epochs, Size epoch, const std::string& metric);

inline namespace TARN_PRECISION {

/// Trains one trial as `plan` says, a point of the grid laid over it where the trial has one. Returns what
/// `training_metrics` says and, but for gin-cv, the metrics at the epoch that the validation graphs choose.
[[nodiscard]] Value run_graph_trial(const GraphPlan& plan, const GraphRunData& data, const GraphTrial& trial,
                                    const TrainingHooks& hooks);

/// Runs the trials of a plan by its protocol; see `Protocol`.
class GraphProtocolRun {
 public:
  GraphProtocolRun(ExperimentContext& context, const GraphPlan& plan, const GraphRunData& data);

  /// Runs what is still to run. Returns one message per trial that diverged.
  std::vector<std::string> run();
  [[nodiscard]] const std::vector<PlannedTrial>& planned() const { return planned_; }
  [[nodiscard]] const std::vector<GraphTrial>& trials() const { return trials_; }

 private:
  void run_stage(const std::vector<std::size_t>& pending, GraphStage stage);
  [[nodiscard]] Value train(const GraphTrial& trial, const TrainingHooks& hooks) const;
  [[nodiscard]] Size chosen_point(const GraphTrial& trial) const;
  [[nodiscard]] const Value* finished(std::size_t trial) const;
  void choose_common_epochs();
  void average_retrained();
  [[nodiscard]] std::optional<std::size_t> index_of(const GraphTrial& trial) const;

  ExperimentContext& context_;
  const GraphPlan& plan_;
  const GraphRunData& data_;
  std::vector<GraphTrial> trials_;
  std::vector<PlannedTrial> planned_;
  std::vector<std::string> diverged_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
