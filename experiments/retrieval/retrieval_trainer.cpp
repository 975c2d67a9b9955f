#include "tarn/experiments/retrieval/retrieval_trainer.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/experiments/statistics.hpp"
#include "tarn/experiments/texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace tarn {

MetricSet diagonal_retrieval_metrics(std::span<const double> scores) {
  const auto count = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(scores.size()))));
  if (count == 0 || count * count != scores.size()) {
    throw ValueError(fmt::format(
        "retrieval metrics: got {} scores; expected one per query and set, as many of each", scores.size()));
  }
  std::vector<double> ranks;
  double reciprocal = 0;
  for (std::size_t q = 0; q < count; ++q) {
    const std::span<const double> row = scores.subspan(q * count, count);
    Size rank = 1;
    for (std::size_t b = 0; b < count; ++b) {
      if (!std::isfinite(row[b])) {
        throw ValueError(fmt::format(
            "retrieval metrics: query {}, set {} scores {}; expected a finite number", q, b, row[b]));
      }
      rank += row[b] > row[q] || (row[b] == row[q] && b < q) ? 1 : 0;
    }
    ranks.push_back(static_cast<double>(rank));
    reciprocal += 1 / ranks.back();
  }
  MetricSet metrics;
  for (const int k : {1, 5, 10}) {
    const auto found = std::count_if(ranks.begin(), ranks.end(), [&](double rank) { return rank <= k; });
    metrics.set(fmt::format("recall_{}", k), static_cast<double>(found) / static_cast<double>(count));
  }
  metrics.set("mrr", reciprocal / static_cast<double>(count));
  metrics.set("median_rank", median(ranks));
  metrics.set("mean_rank", mean(ranks));
  return metrics;
}

inline namespace TARN_PRECISION {

namespace {

using Clock = std::chrono::steady_clock;

/// Sets and their queries as pairs of ragged rows: batches come from there.
MemoryTexts pairs_of(const RetrievalSets& data) {
  return {{{data.rows.matrix(), data.sets}, {data.queries.matrix(), Segments::uniform(data.sets.count(), 1)}},
          std::vector<double>(static_cast<std::size_t>(data.sets.count()), 0)};
}

class RetrievalTraining {
 public:
  RetrievalTraining(RetrievalModel& model, const RetrievalSets& train, const RetrievalSets& evaluation,
                    const RetrievalTrainingOptions& options, const TrainingHooks& hooks)
      : model_(model),
        train_(pairs_of(train)),
        rows_(first_rows(train.sets.count())),
        evaluation_(evaluation),
        options_(options),
        hooks_(hooks),
        optimiser_(make_adam(model.parameters(), {.lr = options.lr})) {}

  TrainingHistory run() {
    TrainingHistory history;
    history.epochs = run_epochs({.model = model_,
                                 .optimiser = *optimiser_,
                                 .epochs = options_.epochs,
                                 .init = [this] { model_.init(Rng(options_.seed).split("model")); },
                                 .epoch = [this](Size epoch) { return run_epoch(epoch); }},
                                hooks_);
    history.selected = history.epochs.empty() ? 0 : history.last().epoch;
    return history;
  }

 private:
  EpochRecord run_epoch(Size epoch) {
    const auto start = Clock::now();
    double total = 0;
    train_.for_batches({.rows = rows_,
                        .batch = options_.batch,
                        .shuffle = Shuffle::full,
                        .seed = options_.seed,
                        .epoch = epoch},
                       [&](const TextBatch& batch) {
                         hooks_.check_interruption();
                         total += step(batch) * static_cast<double>(batch.rows.size());
                       });
    EpochRecord record{.epoch = epoch,
                       .steps = optimiser_->steps(),
                       .loss = total / static_cast<double>(rows_.size()),
                       .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
                       .metrics = {}};
    record.metrics = evaluate();
    return record;
  }

  double step(const TextBatch& batch) {
    const auto number = static_cast<std::uint64_t>(optimiser_->steps());
    tape_.reset({.training = true, .rng = Rng(options_.seed).split("step").split(number)});
    const Var cosines = model_.similarities(tape_, batch.x[0], batch.sets[0], batch.x[1]);
    const std::vector<Size> own = first_rows(cosines.rows());
    const Var loss = cross_entropy(scale(cosines, 1 / options_.temperature), own);
    const auto value = static_cast<double>(loss.value().data[0]);
    require_finite_loss(value, optimiser_->steps() + 1, options_.lr);
    tape_.backward(loss);
    optimiser_->step();
    return value;
  }

  MetricSet evaluate() {
    tape_.reset();
    const ConstMatrixView cosines =
        model_.similarities(tape_, evaluation_.rows.matrix(), evaluation_.sets, evaluation_.queries.matrix())
            .value();
    std::vector<double> scores;
    for (Size q = 0; q < cosines.rows; ++q) {
      for (Size b = 0; b < cosines.cols; ++b) scores.push_back(static_cast<double>(cosines(q, b)));
    }
    require_finite_predictions(scores, optimiser_->steps(), options_.lr);
    return diagonal_retrieval_metrics(scores);
  }

  RetrievalModel& model_;
  MemoryTexts train_;
  std::vector<Size> rows_;
  const RetrievalSets& evaluation_;
  const RetrievalTrainingOptions& options_;
  const TrainingHooks& hooks_;
  std::unique_ptr<Optimiser> optimiser_;
  Tape tape_;
};

}  // namespace

TrainingHistory train_retrieval(RetrievalModel& model, const RetrievalSets& train,
                                const RetrievalSets& evaluation, const RetrievalTrainingOptions& options,
                                const TrainingHooks& hooks) {
  if (train.sets.count() == 0 || evaluation.sets.count() == 0) {
    throw ValueError(
        fmt::format("retrieval: got {} sets to train and {} to evaluate; expected at least 1 of each",
                    train.sets.count(), evaluation.sets.count()));
  }
  return RetrievalTraining(model, train, evaluation, options, hooks).run();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
