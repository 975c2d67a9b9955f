#pragma once

#include "tarn/core/errors.hpp"
#include "tarn/core/value.hpp"
#include "tarn/experiments/metrics.hpp"
#include "tarn/experiments/text_model.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

struct TrainingOptions {
  Size epochs = 10;
  Size batch = 32;
  double lr = 1e-3;
  double weight_decay = 0;  ///< added to the gradient
  std::uint64_t seed =
      0;  ///< of the parameters' start, dropout, and with the epoch of the order of the texts
  Size graph_cache_mb = 512;
  ProductPrecision products = ProductPrecision::full;  ///< of linear maps, in training and evaluation
};

/// What an epoch came to.
struct EpochRecord {
  Size epoch = 0;      ///< from 1
  Size steps = 0;      ///< of the optimiser, all epochs together
  double loss = 0;     ///< mean over the texts of the epoch, each before the step of its batch
  double seconds = 0;  ///< training alone
  MetricSet metrics;   ///< on the evaluation texts after the epoch

  /// Flat: epoch, steps, loss, seconds and the metrics by name.
  [[nodiscard]] Value value() const;
};

struct TrainingHistory {
  std::vector<EpochRecord> epochs;
  std::vector<double> predictions;  ///< on the evaluation texts after the epoch that counts
  /// The epoch that counts: the best one on the texts held out to choose it, the earliest of several; without
  /// such texts the last.
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
};

/// The loss left the finite numbers.
class DivergedError final : public Error {
 public:
  using Error::Error;
};

/// Which texts a model learns from and which it is measured on.
struct TextRows {
  std::vector<Size> train;       ///< of the training texts
  std::vector<Size> evaluation;  ///< of the evaluation texts
  /// Of the training texts, held out to choose the epoch by; may be empty. Their metrics stand in each
  /// epoch's record under `selection_` and the name.
  std::vector<Size> selection{};
};

inline namespace TARN_PRECISION {

/// Trains readout and head together by Adam (betas 0.9, 0.999, eps 1e-8): batches in an order that seed and
/// epoch shuffle, the last short one kept; loss the mean over the batch; evaluation after each epoch. Token
/// graphs of the frozen states are built once and kept within `graph_cache_mb`.
///
/// Starts by drawing the parameters from the seed or, where the folder of checkpoints holds last.h5, goes on
/// from there and ends with the same bits as if it had never stopped. last.h5 is written after every epoch,
/// though not more than once a second. The same bits for any number of threads. Rows held out for selection
/// choose the epoch by `hooks.metric`: the model ends with that epoch's parameters, which best.h5 keeps.
/// Throws DivergedError when the loss is not finite, Interrupted when the hook says so, ValueError for texts
/// that do not fit the model.
[[nodiscard]] TrainingHistory train(TextModel& model, const Texts& train_texts, const Texts& evaluation_texts,
                                    const TextRows& rows, const TrainingOptions& options,
                                    const TrainingHooks& hooks = {});

/// Predictions of a model that is trained already, in the order of the rows.
[[nodiscard]] std::vector<double> predict(TextModel& model, const Texts& texts, std::span<const Size> rows);

/// One vector per text: the texts of `rows` through a readout without parameters, one matrix per side. Pooled
/// once, they are trained on without their tokens.
[[nodiscard]] std::vector<Tensor> pool_texts(Readout& readout, const Texts& texts,
                                             std::span<const Size> rows);

/// Texts of one row each over pooled matrices, which must outlive them.
[[nodiscard]] MemoryTexts pooled_texts(const std::vector<Tensor>& sides, std::vector<double> labels);

}  // namespace TARN_PRECISION

/// Accuracy and its like, or correlations, of predictions.
[[nodiscard]] MetricSet text_metrics(std::span<const double> predictions, std::span<const double> labels,
                                     const TextModelShape& shape);

/// Labels of some rows. Throws DataError, naming `where` and the row, for one that is not a class below
/// `num_classes`.
[[nodiscard]] std::vector<double> class_labels(const Texts& texts, std::span<const Size> rows,
                                               Size num_classes, std::string_view where);

/// Epochs that the checkpoint in a folder holds; 0 without one.
[[nodiscard]] Size checkpointed_epochs(const std::filesystem::path& folder);

}  // namespace tarn
