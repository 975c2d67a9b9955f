#include "tarn/experiments/trainer.hpp"

#include "tarn/core/optimiser.hpp"
#include "tarn/experiments/graph_supply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Size evaluation_batch = 64;
const std::string selection_prefix = "selection_";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

MetricSet text_metrics(std::span<const double> predictions, std::span<const double> labels,
                       const TextModelShape& shape) {
  if (shape.task == TextTask::similarity) return correlation_metrics(predictions, labels);
  const std::vector<Size> predicted(predictions.begin(), predictions.end());
  const std::vector<Size> expected(labels.begin(), labels.end());
  return classification_metrics(predicted, expected, shape.num_classes);
}

std::vector<double> class_labels(const Texts& texts, std::span<const Size> rows, Size num_classes,
                                 std::string_view where) {
  std::vector<double> labels;
  for (const Size row : rows) {
    const double label = texts.label(row);
    if (!(label >= 0 && label < static_cast<double>(num_classes) && label == std::floor(label))) {
      throw DataError(fmt::format("{}: row {}: label {}; expected a class from 0 to {}", where, row, label,
                                  num_classes - 1));
    }
    labels.push_back(label);
  }
  return labels;
}

inline namespace TARN_PRECISION {

namespace {

/// Predictions of a model over some texts, its tape and buffers used again by every pass.
class Predictor {
 public:
  Predictor(TextModel& model, const Texts& texts, ProductPrecision products)
      : model_(model), texts_(texts), products_(products) {}

  std::vector<double> run(std::span<const Size> rows, GraphSupply& supply, Size first_key) {
    std::vector<double> predictions(rows.size());
    std::size_t done = 0;
    texts_.for_batches({.rows = rows, .batch = evaluation_batch}, [&](const TextBatch& batch) {
      tape_.reset({.products = products_});
      model_.predict(tape_, batch, supply.graphs(batch, first_key),
                     std::span(predictions).subspan(done, batch.rows.size()));
      done += batch.rows.size();
    });
    return predictions;
  }

 private:
  TextModel& model_;
  const Texts& texts_;
  ProductPrecision products_;
  Tape tape_;
};

class Training {
 public:
  Training(TextModel& model, const Texts& train_texts, const Texts& evaluation_texts, const TextRows& rows,
           const TrainingOptions& options, const TrainingHooks& hooks)
      : model_(model),
        texts_(train_texts),
        rows_(rows),
        options_(options),
        hooks_(hooks),
        predictor_(model, evaluation_texts, options.products),
        selection_predictor_(model, train_texts, options.products),
        supply_(model.readout(), model.shape().num_texts, options.graph_cache_mb),
        optimiser_(make_adam(model.parameters(), {.lr = options.lr, .weight_decay = options.weight_decay})) {
    for (const Size row : rows.evaluation) evaluation_labels_.push_back(evaluation_texts.label(row));
    for (const Size row : rows.selection) selection_labels_.push_back(train_texts.label(row));
  }

  TrainingHistory run() {
    history_.epochs = run_epochs({.model = model_,
                                  .optimiser = *optimiser_,
                                  .epochs = options_.epochs,
                                  .init = [this] { model_.init(Rng(options_.seed).split("model")); },
                                  .epoch = [this](Size epoch) { return run_epoch(epoch); },
                                  .best = selects()                           ? BestEpoch::restore
                                          : hooks_.keep_best == KeepBest::yes ? BestEpoch::keep
                                                                              : BestEpoch::ignore,
                                  .best_metric = best_metric()},
                                 hooks_);
    history_.selected = selects() ? history_.best(best_metric()).epoch : history_.last().epoch;
    if (history_.selected != history_.last().epoch || history_.predictions.empty()) evaluate();
    return std::move(history_);
  }

 private:
  [[nodiscard]] bool selects() const { return !rows_.selection.empty(); }
  /// The metric that the best epoch is chosen by.
  [[nodiscard]] std::string best_metric() const {
    return selects() ? selection_prefix + hooks_.metric : hooks_.metric;
  }

  EpochRecord run_epoch(Size epoch) {
    const auto start = Clock::now();
    double total = 0;
    texts_.for_batches({.rows = rows_.train,
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
                       .loss = total / static_cast<double>(rows_.train.size()),
                       .seconds = seconds_since(start),
                       .metrics = {}};
    record.metrics = evaluate();
    if (selects()) {
      const std::vector<double> held_out = selection_predictor_.run(rows_.selection, supply_, 0);
      const MetricSet metrics = text_metrics(held_out, selection_labels_, model_.shape());
      for (const auto& [name, value] : metrics.values()) record.metrics.set(selection_prefix + name, value);
    }
    return record;
  }

  double step(const TextBatch& batch) {
    labels_.clear();
    for (const Size row : batch.rows) labels_.push_back(texts_.label(row));
    const auto number = static_cast<std::uint64_t>(optimiser_->steps());
    tape_.reset({.training = true,
                 .rng = Rng(options_.seed).split("step").split(number),
                 .products = options_.products});
    const Var loss = model_.loss(tape_, batch, supply_.graphs(batch, 0), labels_);
    const auto value = static_cast<double>(loss.value().data[0]);
    require_finite_loss(value, optimiser_->steps() + 1, options_.lr);
    tape_.backward(loss);
    optimiser_->step();
    return value;
  }

  MetricSet evaluate() {
    history_.predictions = predictor_.run(rows_.evaluation, supply_, texts_.rows());
    require_finite_predictions(history_.predictions, optimiser_->steps(), options_.lr);
    return text_metrics(history_.predictions, evaluation_labels_, model_.shape());
  }

  TextModel& model_;
  const Texts& texts_;
  const TextRows& rows_;
  const TrainingOptions& options_;
  const TrainingHooks& hooks_;
  Predictor predictor_;
  Predictor selection_predictor_;
  GraphSupply supply_;
  std::unique_ptr<Optimiser> optimiser_;
  Tape tape_;
  std::vector<double> labels_;
  std::vector<double> evaluation_labels_;
  std::vector<double> selection_labels_;
  TrainingHistory history_;
};

}  // namespace

TrainingHistory train(TextModel& model, const Texts& train_texts, const Texts& evaluation_texts,
                      const TextRows& rows, const TrainingOptions& options, const TrainingHooks& hooks) {
  if (rows.train.empty() || rows.evaluation.empty()) {
    throw ValueError(
        fmt::format("training: got {} texts to train and {} to evaluate; expected at least 1 of each",
                    rows.train.size(), rows.evaluation.size()));
  }
  if (train_texts.dim() != model.shape().dim || evaluation_texts.dim() != model.shape().dim) {
    throw ValueError(fmt::format("training: states are {} and {} wide; expected {} as the model was made for",
                                 train_texts.dim(), evaluation_texts.dim(), model.shape().dim));
  }
  return Training(model, train_texts, evaluation_texts, rows, options, hooks).run();
}

std::vector<double> predict(TextModel& model, const Texts& texts, std::span<const Size> rows) {
  GraphSupply supply(model.readout(), model.shape().num_texts, 0);
  return Predictor(model, texts, ProductPrecision::full).run(rows, supply, 0);
}

std::vector<Tensor> pool_texts(Readout& readout, const Texts& texts, std::span<const Size> rows) {
  const Size width = readout.out_dim(texts.dim());
  std::vector<Tensor> sides;
  for (Size s = 0; s < texts.num_texts(); ++s)
    sides.emplace_back(Shape{static_cast<Size>(rows.size()), width});
  GraphSupply supply(&readout, texts.num_texts(), 0);
  Tape tape;
  Size done = 0;
  texts.for_batches({.rows = rows, .batch = evaluation_batch}, [&](const TextBatch& batch) {
    const TextModel::Graphs graphs = supply.graphs(batch, 0);
    for (std::size_t s = 0; s < sides.size(); ++s) {
      tape.reset();
      const Var x = tape.input(batch.x[s], {batch.x[s].rows, batch.x[s].cols});
      const ConstMatrixView y =
          readout.forward({.x = x, .sets = batch.sets[s], .graph = graphs[s]}).y.value();
      for (Size b = 0; b < y.rows; ++b) std::copy_n(y.row(b), width, sides[s].matrix().row(done + b));
    }
    done += static_cast<Size>(batch.rows.size());
  });
  return sides;
}

MemoryTexts pooled_texts(const std::vector<Tensor>& sides, std::vector<double> labels) {
  std::vector<MemoryTexts::Side> views;
  for (const Tensor& side : sides)
    views.push_back({side.matrix(), Segments::uniform(side.shape().rows(), 1)});
  return {std::move(views), std::move(labels)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
