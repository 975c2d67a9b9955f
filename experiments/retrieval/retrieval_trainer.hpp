#pragma once

#include "tarn/datasets/retrieval_sets.hpp"
#include "tarn/experiments/metrics.hpp"
#include "tarn/experiments/retrieval/retrieval_model.hpp"
#include "tarn/experiments/training.hpp"

#include <cstdint>

namespace tarn {

struct RetrievalTrainingOptions {
  Size epochs = 30;
  Size batch = 32;
  double lr = 1e-3;
  double temperature = 0.05;  ///< divides the cosines
  std::uint64_t seed = 0;     ///< of the parameters' start, dropout, and with the epoch of the order
};

inline namespace TARN_PRECISION {

/// Trains a model to find the set of each query among those of its batch (cross entropy of the cosines) by
/// Adam, and measures it after each epoch on all evaluation sets. Goes on from a checkpoint with the same
/// bits; the same bits for any number of threads. Throws DivergedError and Interrupted as `train` does.
[[nodiscard]] TrainingHistory train_retrieval(RetrievalModel& model, const RetrievalSets& train,
                                              const RetrievalSets& evaluation,
                                              const RetrievalTrainingOptions& options,
                                              const TrainingHooks& hooks = {});

}  // namespace TARN_PRECISION

/// scores [Q, Q] row-major, the set of query i is i: recall_1, recall_5 and recall_10 (share of queries whose
/// set is among so many), mean reciprocal rank `mrr`, median_rank and mean_rank. Ties go to the set of lower
/// number. Throws ValueError for no query or a score that is not finite.
[[nodiscard]] MetricSet diagonal_retrieval_metrics(std::span<const double> scores);

}  // namespace tarn
