#include "tarn/experiments/mesh/mesh_trainer.hpp"

#include "tarn/core/losses.hpp"
#include "tarn/core/optimiser.hpp"
#include "tarn/experiments/mesh/mesh_metrics.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

void MeshTrainingOptions::fields(Fields& f) {
  f("epochs", epochs, at_least(1), "passes over the training meshes");
  f("batch", batch, at_least(1), "meshes per step");
  f("lr", lr, above(0), "learning rate of Adam");
  f("weight_decay", weight_decay, at_least(0), "added to the gradient");
  f("label_smoothing", label_smoothing, in_range(0, 1), "share of the target that all classes have alike");
  f("clip", clip, at_least(0), "largest norm of all gradients together; 0: no limit");
  f("schedule", schedule, "of the learning rate over the epochs");
  f("last_constant_epoch", last_constant_epoch, at_least(1), "before schedule lambda falls");
  f("products", products, "precision of matrix products");
}

double epoch_factor(const MeshTrainingOptions& o, Size epoch) {
  const auto e = static_cast<double>(epoch), last = static_cast<double>(o.epochs);
  switch (o.schedule) {
    case EpochSchedule::constant:
      return 1;
    case EpochSchedule::cosine:
      return (1 + std::cos(std::numbers::pi * (e - 1) / last)) / 2;
    case EpochSchedule::lambda:
      break;
  }
  const auto constant = static_cast<double>(o.last_constant_epoch);
  return epoch <= o.last_constant_epoch ? 1 : std::max(0.0, (e - last - 1) / (constant - last - 1));
}

inline namespace TARN_PRECISION {

namespace {

/// Batches of some samples in a given order, f(batch).
template <class F>
void for_batches(const std::vector<MeshSample>& samples, std::span<const Size> order, Size batch,
                 DualConfiguration configuration, F f) {
  std::vector<const MeshSample*> chosen;
  for (std::size_t begin = 0; begin < order.size(); begin += idx(batch)) {
    chosen.clear();
    for (std::size_t i = begin; i < std::min(order.size(), begin + idx(batch)); ++i)
      chosen.push_back(&samples[idx(order[i])]);
    f(join_samples(chosen, configuration));
  }
}

Var scores_of(MeshNetwork& network, Tape& tape, const LabelledBatch& batch) {
  return network.forward({tape.input(batch.meshes.x), tape.input(batch.meshes.x_dual), batch.meshes.graph});
}

/// The class of each row by the mean of the probabilities of `copies` blocks of rows.
std::vector<Size> mean_classes(ConstMatrixView scores, Size copies) {
  const Size rows = scores.rows / copies;
  std::vector<double> mean(idx(scores.cols));
  std::vector<Size> classes;
  for (Size i = 0; i < rows; ++i) {
    std::fill(mean.begin(), mean.end(), 0.0);
    for (Size c = 0; c < copies; ++c) {
      const auto row = scores.row_span(c * rows + i);
      const auto top = static_cast<double>(*std::max_element(row.begin(), row.end()));
      double sum = 0;
      for (const Real score : row) sum += std::exp(static_cast<double>(score) - top);
      for (std::size_t j = 0; j < mean.size(); ++j)
        mean[j] += std::exp(static_cast<double>(row[j]) - top) / sum;
    }
    classes.push_back(std::max_element(mean.begin(), mean.end()) - mean.begin());
  }
  return classes;
}

/// The largest pool sizes of an epoch.
struct PoolLog {
  MeshNetwork::PoolSizes largest;
  Size idle = 0;

  void add(const MeshNetwork::PoolSizes& sizes) {
    largest.largest_degree = std::max(largest.largest_degree, sizes.largest_degree);
    largest.dual_edges = std::max(largest.dual_edges, sizes.dual_edges);
    idle += sizes.idle;
  }
  void write(MetricSet& metrics) const {
    metrics.set("largest_degree", static_cast<double>(largest.largest_degree));
    metrics.set("dual_edges", static_cast<double>(largest.dual_edges));
    metrics.set("idle_pools", static_cast<double>(idle));
  }
};

class MeshTraining {
 public:
  MeshTraining(MeshNetwork& network, MeshSamples& samples, DualConfiguration configuration,
               const MeshTrainingOptions& options, std::uint64_t seed, const MeshMetrics& metrics,
               const TrainingHooks& hooks)
      : network_(network),
        samples_(samples),
        configuration_(configuration),
        options_(options),
        seed_(seed),
        metrics_(metrics),
        hooks_(hooks),
        optimiser_(
            make_adam(network.parameters(), {.lr = options.lr, .weight_decay = options.weight_decay})) {}

  TrainingHistory run() {
    const EpochLoop loop{.model = network_,
                         .optimiser = *optimiser_,
                         .epochs = options_.epochs,
                         .init = [this] { network_.initialise(Rng(seed_).split("model")); },
                         .epoch = [this](Size epoch) { return run_epoch(epoch); },
                         .best = hooks_.keep_best == KeepBest::yes ? BestEpoch::keep : BestEpoch::ignore,
                         .best_metric = hooks_.metric};
    TrainingHistory history;
    history.epochs = run_epochs(loop, hooks_);
    history.selected = static_cast<Size>(history.epochs.size());
    const std::vector<Size> predictions =
        samples_.test_copies() == 1 ? predict()
                                    : predict_meshes(network_, samples_.copied_test(), configuration_,
                                                     options_.batch, samples_.test_copies());
    history.predictions.assign(predictions.begin(), predictions.end());
    return history;
  }

 private:
  std::vector<Size> predict() {
    return predict_meshes(network_, samples_.test(), configuration_, options_.batch);
  }

  EpochRecord run_epoch(Size epoch) {
    const auto start = std::chrono::steady_clock::now();
    optimiser_->set_lr_factor(epoch_factor(options_, epoch));
    const std::vector<MeshSample>& samples = samples_.train(epoch);
    const std::vector<Size> order =
        permutation(static_cast<Size>(samples.size()),
                    Rng(seed_).split("order").split(static_cast<std::uint64_t>(epoch)));
    double total = 0, counted = 0;
    PoolLog pools;
    for_batches(samples, order, options_.batch, configuration_, [&](const LabelledBatch& batch) {
      hooks_.check_interruption();
      const auto weight = static_cast<double>(labels_of(batch).size());
      total += step(batch) * weight;
      counted += weight;
      pools.add(network_.pool_sizes());
    });
    EpochRecord record{
        .epoch = epoch,
        .steps = optimiser_->steps(),
        .loss = total / counted,
        .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
        .metrics = metrics_(predict())};
    pools.write(record.metrics);
    return record;
  }

  [[nodiscard]] const std::vector<Size>& labels_of(const LabelledBatch& batch) const {
    return network_.task() == MeshTask::classification ? batch.labels : batch.face_labels;
  }

  double step(const LabelledBatch& batch) {
    const auto number = static_cast<std::uint64_t>(optimiser_->steps());
    tape_.reset(
        {.training = true, .rng = Rng(seed_).split("step").split(number), .products = options_.products});
    const Var loss =
        cross_entropy(scores_of(network_, tape_, batch), labels_of(batch), options_.label_smoothing);
    const auto value = static_cast<double>(loss.value().data[0]);
    require_finite_loss(value, optimiser_->steps() + 1, options_.lr);
    tape_.backward(loss);
    if (options_.clip > 0) clip_norm(parameters_, options_.clip);
    optimiser_->step();
    return value;
  }

  MeshNetwork& network_;
  MeshSamples& samples_;
  DualConfiguration configuration_;
  const MeshTrainingOptions& options_;
  std::uint64_t seed_;
  const MeshMetrics& metrics_;
  const TrainingHooks& hooks_;
  std::unique_ptr<Optimiser> optimiser_;
  std::vector<Parameter*> parameters_ = network_.parameters();
  Tape tape_;
};

}  // namespace

std::vector<Size> predict_meshes(MeshNetwork& network, const std::vector<MeshSample>& samples,
                                 DualConfiguration configuration, Size batch, Size copies) {
  std::vector<Size> order(samples.size()), predictions;
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Size>(i);
  Tape tape;
  if (copies == 1) {
    for_batches(samples, order, batch, configuration, [&](const LabelledBatch& joined) {
      tape.reset();
      const std::vector<Size> own = largest_columns(scores_of(network, tape, joined).value());
      predictions.insert(predictions.end(), own.begin(), own.end());
    });
    return predictions;
  }
  for_batches(samples, order, copies, configuration, [&](const LabelledBatch& joined) {
    tape.reset();
    const std::vector<Size> own = mean_classes(scores_of(network, tape, joined).value(), copies);
    predictions.insert(predictions.end(), own.begin(), own.end());
  });
  return predictions;
}

TrainingHistory train_meshes(MeshNetwork& network, MeshSamples& samples, DualConfiguration configuration,
                             const MeshTrainingOptions& options, std::uint64_t seed,
                             const MeshMetrics& metrics, const TrainingHooks& hooks) {
  if (samples.num_train() == 0 || samples.test().empty()) {
    throw ValueError("mesh training: no meshes to train or to test on; expected at least one of each");
  }
  return MeshTraining(network, samples, configuration, options, seed, metrics, hooks).run();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
