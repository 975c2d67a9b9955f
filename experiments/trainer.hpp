#pragma once

#include "tarn/experiments/metrics.hpp"
#include "tarn/experiments/text_model.hpp"
#include "tarn/experiments/training.hpp"

#include <cstdint>
#include <string_view>
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
/// Starts by drawing the parameters from the seed, or goes on from a checkpoint (see `run_epochs`). The same
/// bits for any number of threads. Rows held out for selection choose the epoch by `hooks.metric`: the model
/// ends with that epoch's parameters, which best.h5 keeps.
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

}  // namespace tarn
