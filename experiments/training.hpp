#pragma once

#include "tarn/core/errors.hpp"
#include "tarn/core/module.hpp"
#include "tarn/core/optimiser.hpp"
#include "tarn/core/value.hpp"
#include "tarn/experiments/metrics.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tarn {

/// What an epoch came to.
struct EpochRecord {
  Size epoch = 0;      ///< from 1
  Size steps = 0;      ///< of the optimiser, all epochs together
  double loss = 0;     ///< mean over the samples of the epoch, each before the step of its batch
  double seconds = 0;  ///< training alone
  MetricSet metrics;   ///< on the evaluation data after the epoch

  /// Flat: epoch, steps, loss, seconds and the metrics by name.
  [[nodiscard]] Value value() const;
};

struct TrainingHistory {
  std::vector<EpochRecord> epochs;
  std::vector<double> predictions;  ///< on the evaluation data after the epoch that counts
  /// The epoch that counts: the best one on the data held out to choose it, the earliest of several; without
  /// such data the last.
  Size selected = 0;

  [[nodiscard]] const EpochRecord& last() const { return epochs.back(); }
  [[nodiscard]] const EpochRecord& selected_record() const {
    return epochs[static_cast<std::size_t>(selected - 1)];
  }
  /// The earliest epoch with the highest metric.
  [[nodiscard]] const EpochRecord& best(std::string_view metric) const;
  /// The first epoch whose metric exceeds a goal.
  [[nodiscard]] const EpochRecord* first_above(std::string_view metric, double goal) const;
  [[nodiscard]] double seconds_per_epoch() const;
};

enum class KeepBest { no, yes };

/// How training speaks with what runs it; each may be empty.
struct TrainingHooks {
  /// Folder for last.h5, from which training goes on, and best.h5 where it is kept.
  std::filesystem::path checkpoints;
  Value model;  ///< what the checkpoint says of the model
  KeepBest keep_best = KeepBest::no;
  std::string metric;  ///< which best.h5 goes by
  /// After each epoch, before its checkpoint is written.
  std::function<void(const EpochRecord&)> epoch_done;
  std::function<bool()> interrupted;

  /// Throws Interrupted if somebody asked for an end.
  void check_interruption() const;
};

/// The loss left the finite numbers.
class DivergedError final : public Error {
 public:
  using Error::Error;
};

/// Throws DivergedError for a loss that is not finite; `step` counts from 1.
void require_finite_loss(double loss, Size step, double lr);
/// Throws DivergedError for predictions that are not.
void require_finite_predictions(std::span<const double> predictions, Size steps, double lr);

/// Epochs that the checkpoint in a folder holds; 0 without one.
[[nodiscard]] Size checkpointed_epochs(const std::filesystem::path& folder);

inline namespace TARN_PRECISION {

/// What a best epoch is for: nothing, a file best.h5 beside last.h5, or also to end with its parameters.
enum class BestEpoch { ignore, keep, restore };

/// What `run_epochs` works on.
struct EpochLoop {
  Module& model;
  Optimiser& optimiser;
  Size epochs = 0;
  std::function<void()> init;                    ///< draws the parameters
  std::function<EpochRecord(Size epoch)> epoch;  ///< trains and evaluates epoch 1, 2, ...
  /// True if no further epoch is wanted; empty: never.
  std::function<bool(const std::vector<EpochRecord>&)> enough = {};
  BestEpoch best = BestEpoch::ignore;
  std::string best_metric = {};  ///< which the best epoch has the highest of, the earliest of several
};

/// Runs epochs from the start or, where the folder of checkpoints holds last.h5, from there, and ends with
/// the same bits as if it had never stopped: whatever an epoch depends on must be a function of its number,
/// the model, the optimiser and the records so far. last.h5 is written after every epoch, though not more
/// than once a second. Passes on what the epochs throw.
[[nodiscard]] std::vector<EpochRecord> run_epochs(const EpochLoop& loop, const TrainingHooks& hooks);

}  // namespace TARN_PRECISION
}  // namespace tarn
