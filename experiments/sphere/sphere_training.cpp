#include "tarn/experiments/sphere/sphere_training.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/losses.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/sphere/sphere_losses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

constexpr Size evaluation_batch = 64;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Follows validation losses as Keras' callbacks do.
struct Plateau {
  double best = std::numeric_limits<double>::infinity();
  Size waited = 0;    ///< epochs since the best
  Size on_level = 0;  ///< epochs since the best or the last fall of the rate
  double factor = 1;

  void see(double loss, const SphereTrainingOptions& o) {
    if (loss < best - o.min_gain) {
      best = loss;
      waited = on_level = 0;
      return;
    }
    ++waited;
    if (o.lr_patience > 0 && ++on_level >= o.lr_patience) {
      factor *= o.lr_factor;
      on_level = 0;
    }
  }
};

Plateau follow(std::span<const double> losses, const SphereTrainingOptions& options) {
  Plateau plateau;
  for (const double loss : losses) plateau.see(loss, options);
  return plateau;
}

}  // namespace

double plateau_factor(std::span<const double> validation_losses, const SphereTrainingOptions& options) {
  return follow(validation_losses, options).factor;
}

bool out_of_gain(std::span<const double> validation_losses, const SphereTrainingOptions& options) {
  return options.patience > 0 && follow(validation_losses, options).waited >= options.patience;
}

inline namespace TARN_PRECISION {

namespace {

/// Deviation of all pixels about zero mean and about their own, in fixed blocks.
double deviation_of(const Tensor& maps) {
  const std::span<const Real> all = maps.flat();
  const auto n = static_cast<double>(all.size());
  if (all.empty()) return 1;
  constexpr Size grain = 65536;
  const auto sum = [&](auto term) {
    return sum_blocks(static_cast<Size>(all.size()), grain, [&](Size begin, Size end) {
      double total = 0;
      for (Size i = begin; i < end; ++i) total += term(static_cast<double>(all[at(i)]));
      return total;
    });
  };
  const double mean = sum([](double v) { return v; }) / n;
  const double variance = sum([&](double v) { return (v - mean) * (v - mean); }) / n;
  return variance > 0 ? std::sqrt(variance) : 1;
}

Var loss_of(Var outputs, SphereLoss loss, bool classes, std::span<const Size> labels,
            std::span<const double> targets) {
  if (classes) {
    return loss == SphereLoss::cross_entropy ? cross_entropy(outputs, labels)
                                             : softmax_squared_error(outputs, labels);
  }
  return loss == SphereLoss::moments ? moment_loss(outputs, targets) : mean_squared_error(outputs, targets);
}

/// Maps of a set by batches, turned as augmentation says.
class MapBatches {
 public:
  MapBatches(const SphereSplits& data, const SphereSamples& samples, const SphereTrainingOptions& options)
      : samples_(samples),
        options_(options),
        width_(data.sky.size() * data.channels),
        channels_(data.channels) {
    if (options.augment == healpix::Augment::none) return;
    for (Size turns = 0; turns < 4; ++turns) {
      for (int mirrors = 0; mirrors < 4; ++mirrors) {
        const healpix::Symmetry symmetry{turns, (mirrors & 1) != 0, (mirrors & 2) != 0};
        if (options.augment == healpix::Augment::rot90 && mirrors != 0) continue;
        std::vector<Size> rows = rows_of(data.sky, symmetry);
        if (rows.empty()) continue;
        symmetries_.push_back(symmetry);
        permutations_.push_back(std::move(rows));
      }
    }
  }

  /// Copies maps `order[...]` side by side; `rng` draws the symmetry of each.
  ConstMatrixView assemble(std::span<const Size> order, const Rng& rng) {
    const auto count = static_cast<Size>(order.size());
    if (batch_.size() < count * width_) batch_ = Tensor({count, width_});
    for_blocks(count, 4, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) copy(order[at(i)], i, rng);
    });
    return {batch_.data(), count, width_};
  }

 private:
  /// Row from which each row of a turned map comes; none where the turned sky is another.
  static std::vector<Size> rows_of(const healpix::Sky& sky, const healpix::Symmetry& symmetry) {
    const std::vector<Size> pixels = healpix::symmetry_permutation(sky.grid(), sky.ordering(), symmetry);
    std::vector<Size> rows;
    for (Size row = 0; row < sky.size(); ++row) {
      rows.push_back(sky.row(pixels[at(sky.pixel(row))]));
      if (rows.back() < 0) return {};
    }
    return rows;
  }

  void copy(Size map, Size place, const Rng& rng) {
    const Real* const from = samples_.maps.data() + map * width_;
    Real* const to = batch_.data() + place * width_;
    if (permutations_.empty()) {
      std::copy(from, from + width_, to);
      return;
    }
    const Size chosen = rng.below(static_cast<Size>(permutations_.size()), static_cast<std::uint64_t>(place));
    const std::vector<Size>& rows = permutations_[at(chosen)];
    const Real sign = options_.stokes && symmetries_[at(chosen)].flips_u() ? Real(-1) : Real(1);
    for (std::size_t p = 0; p < rows.size(); ++p) {
      for (Size c = 0; c < channels_; ++c) {
        const Real value = from[rows[p] * channels_ + c];
        to[static_cast<Size>(p) * channels_ + c] = c == 1 ? sign * value : value;
      }
    }
  }

  const SphereSamples& samples_;
  const SphereTrainingOptions& options_;
  Size width_, channels_;
  std::vector<healpix::Symmetry> symmetries_;
  std::vector<std::vector<Size>> permutations_;
  Tensor batch_;
};

class SphereTraining {
 public:
  SphereTraining(SphereModel& model, const SphereSplits& data, const SphereTrainingOptions& options,
                 const TrainingHooks& hooks)
      : model_(model),
        data_(data),
        options_(options),
        hooks_(hooks),
        batches_(data, data.train, options),
        optimiser_(make_adam(model.parameters(), {.lr = options.lr, .eps = 1e-7})) {}

  TrainingHistory run() {
    const bool chooses = data_.validation.count() > 0;
    TrainingHistory history;
    history.epochs = run_epochs({.model = model_,
                                 .optimiser = *optimiser_,
                                 .epochs = options_.epochs,
                                 .init = [this] { model_.start(options_.rng.split("model"), data_); },
                                 .epoch = [this](Size epoch) { return run_epoch(epoch); },
                                 .enough = [this](const auto& records) { return follow(records); },
                                 .best = chooses ? BestEpoch::restore : BestEpoch::ignore,
                                 .best_metric = chooses ? score : ""},
                                hooks_);
    if (history.epochs.empty()) return history;
    history.selected = chooses ? history.best(score).epoch : history.last().epoch;
    history.predictions = predict_maps(model_, data_.test, options_.loss);
    return history;
  }

 private:
  static constexpr const char* validation_loss = "validation_loss";
  /// The higher, the better: what the best epoch goes by.
  static constexpr const char* score = "validation_score";

  [[nodiscard]] bool classes() const { return data_.num_classes > 0; }

  bool follow(const std::vector<EpochRecord>& records) {
    if (data_.validation.count() == 0) return false;
    losses_.clear();
    for (const EpochRecord& record : records) losses_.push_back(record.metrics.at(validation_loss));
    return out_of_gain(losses_, options_);
  }

  [[nodiscard]] double lr_factor(Size epoch) const {
    const double last = epoch > options_.epochs - options_.final_epochs ? options_.lr_factor : 1;
    return last * plateau_factor(losses_, options_);
  }

  EpochRecord run_epoch(Size epoch) {
    const auto start = Clock::now();
    const Size count = data_.train.count();
    const std::vector<Size> order =
        permutation(count, options_.rng.split("order").split(static_cast<std::uint64_t>(epoch)));
    optimiser_->set_lr_factor(lr_factor(epoch));
    double loss = 0, right = 0;
    for (Size begin = 0; begin < count; begin += options_.batch) {
      hooks_.check_interruption();
      const auto part = std::span(order).subspan(at(begin), at(std::min(options_.batch, count - begin)));
      loss += step(part, right) * static_cast<double>(part.size());
    }
    EpochRecord record{.epoch = epoch,
                       .steps = optimiser_->steps(),
                       .loss = loss / static_cast<double>(count),
                       .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
                       .metrics = {}};
    record.metrics.set("lr", options_.lr * lr_factor(epoch));
    if (classes()) record.metrics.set("train_accuracy", right / static_cast<double>(count));
    measure(record.metrics, data_.validation, "validation_");
    measure(record.metrics, data_.test, "");
    return record;
  }

  double step(std::span<const Size> maps, double& right) {
    const auto number = static_cast<std::uint64_t>(optimiser_->steps());
    const Rng rng = options_.rng.split("step").split(number);
    const ConstMatrixView x = batches_.assemble(maps, rng.split("augment"));
    tape_.reset({.training = true, .rng = rng});
    const Var outputs = model_.forward(tape_, x, static_cast<Size>(maps.size()));
    gather_answers(maps);
    const Var loss = loss_of(outputs, options_.loss, classes(), labels_, targets_);
    const auto value = static_cast<double>(loss.value().data[0]);
    require_finite_loss(value, optimiser_->steps() + 1, options_.lr);
    if (classes()) right += count_right(outputs.value());
    tape_.backward(loss);
    optimiser_->step();
    return value;
  }

  void gather_answers(std::span<const Size> maps) {
    labels_.clear();
    targets_.clear();
    for (const Size map : maps) {
      if (classes()) labels_.push_back(data_.train.classes[at(map)]);
      for (Size t = 0; t < data_.num_targets; ++t) {
        targets_.push_back(model_.scaled(data_.train.targets[at(map * data_.num_targets + t)], t));
      }
    }
  }

  [[nodiscard]] double count_right(ConstMatrixView logits) const {
    double right = 0;
    for (Size i = 0; i < logits.rows; ++i) {
      const std::span<const Real> row = logits.row_span(i);
      right += std::max_element(row.begin(), row.end()) - row.begin() == labels_[at(i)] ? 1 : 0;
    }
    return right;
  }

  void measure(MetricSet& metrics, const SphereSamples& samples, const std::string& prefix) {
    if (samples.count() == 0) return;
    const std::vector<double> outputs = predict_maps(model_, samples, options_.loss);
    require_finite_predictions(outputs, optimiser_->steps(), options_.lr);
    const MetricSet own = sphere_metrics(data_, samples, outputs);
    for (const auto& [name, value] : own.values()) metrics.set(prefix + name, value);
    if (&samples != &data_.validation) return;
    const double loss = loss_on(samples, outputs);
    metrics.set(validation_loss, loss);
    metrics.set(score, -loss);
  }

  /// The training loss of predictions.
  [[nodiscard]] double loss_on(const SphereSamples& samples, std::span<const double> outputs) {
    const Size width = static_cast<Size>(outputs.size()) / samples.count();
    tape_.reset();
    Tensor y({samples.count(), width});
    for (Size i = 0; i < samples.count(); ++i) {
      for (Size j = 0; j < width; ++j) {
        const double output = outputs[at(i * width + j)];
        const bool deviation = !classes() && j >= data_.num_targets;
        y.matrix()(i, j) =
            static_cast<Real>(classes()   ? output
                              : deviation ? output / model_.restored_deviation(1, j - data_.num_targets)
                                          : model_.scaled(output, j));
      }
    }
    std::vector<double> targets;
    for (std::size_t i = 0; i < samples.targets.size(); ++i) {
      targets.push_back(model_.scaled(samples.targets[i], static_cast<Size>(i) % data_.num_targets));
    }
    const Var loss = loss_of(tape_.input(y), options_.loss, classes(), samples.classes, targets);
    return static_cast<double>(loss.value().data[0]);
  }

  SphereModel& model_;
  const SphereSplits& data_;
  const SphereTrainingOptions& options_;
  const TrainingHooks& hooks_;
  MapBatches batches_;
  std::unique_ptr<Optimiser> optimiser_;
  Tape tape_;
  std::vector<double> losses_;  ///< of the validation maps so far
  std::vector<Size> labels_;
  std::vector<double> targets_;
};

}  // namespace

SphereModel::SphereModel(std::unique_ptr<SphereNetwork> network, Size num_targets)
    : network_(child("", std::move(network))), input_deviation_(state_tensor("input_deviation", {1}, 1)) {
  if (num_targets == 0) return;
  target_mean_ = &state_tensor("target_mean", {num_targets}, 0);
  target_deviation_ = &state_tensor("target_deviation", {num_targets}, 1);
}

void SphereModel::start(const Rng& rng, const SphereSplits& data) {
  init(rng);
  scale_to(data);
  constexpr Size most = 256;
  const Size count = std::min(most, data.train.count()), width = data.sky.size() * data.channels;
  Tape tape;
  tape.reset();
  network_.calibrate(scaled_maps(tape, {data.train.maps.data(), count, width}, count));
}

void SphereModel::scale_to(const SphereSplits& data) {
  if (target_mean_ == nullptr) return;
  input_deviation_.value.data()[0] = static_cast<Real>(deviation_of(data.train.maps));
  const Size count = data.train.count();
  for (Size t = 0; t < data.num_targets; ++t) {
    double sum = 0, squares = 0;
    const auto target = [&](Size i) { return data.train.targets[at(i * data.num_targets + t)]; };
    for (Size i = 0; i < count; ++i) sum += target(i);
    const double mean = sum / static_cast<double>(count);
    for (Size i = 0; i < count; ++i) squares += (target(i) - mean) * (target(i) - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(count));
    target_mean_->value.data()[t] = static_cast<Real>(mean);
    target_deviation_->value.data()[t] = static_cast<Real>(deviation > 0 ? deviation : 1);
  }
}

SphereMaps SphereModel::scaled_maps(Tape& tape, ConstMatrixView maps, Size count) {
  const Size pixels = network_.input_sky().size(), channels = network_.in_channels();
  Var x = tape.input(ConstMatrixView{maps.data, count * pixels, channels}, {count, pixels, channels});
  const Real deviation = input_deviation_.value.data()[0];
  if (deviation != Real(1)) x = scale(x, 1 / static_cast<double>(deviation));
  return {x, healpix::Ordering::nest};
}

double SphereModel::scaled(double target, Size t) const {
  return (target - static_cast<double>(target_mean_->value.data()[t])) /
         static_cast<double>(target_deviation_->value.data()[t]);
}

double SphereModel::restored(double output, Size t) const {
  return output * static_cast<double>(target_deviation_->value.data()[t]) +
         static_cast<double>(target_mean_->value.data()[t]);
}

double SphereModel::restored_deviation(double output, Size t) const {
  return std::abs(output) * static_cast<double>(target_deviation_->value.data()[t]);
}

std::vector<double> predict_maps(SphereModel& model, const SphereSamples& samples, SphereLoss loss) {
  const Size width = samples.count() == 0 ? 0 : samples.maps.size() / samples.count();
  const bool numbers = !samples.targets.empty();
  const Size outputs = model.network().out_features(),
             means = loss == SphereLoss::moments ? outputs / 2 : outputs;
  std::vector<double> result;
  result.reserve(at(samples.count() * outputs));
  Tape tape;
  for (Size begin = 0; begin < samples.count(); begin += evaluation_batch) {
    const Size count = std::min(evaluation_batch, samples.count() - begin);
    tape.reset();
    const ConstMatrixView y =
        model.forward(tape, {samples.maps.data() + begin * width, count, width}, count).value();
    for (Size i = 0; i < y.rows; ++i) {
      for (Size j = 0; j < y.cols; ++j) {
        const auto value = static_cast<double>(y(i, j));
        result.push_back(!numbers    ? value
                         : j < means ? model.restored(value, j)
                                     : model.restored_deviation(value, j - means));
      }
    }
  }
  return result;
}

MetricSet sphere_metrics(const SphereAnswers& data, const SphereSamples& samples,
                         std::span<const double> outputs) {
  const Size count = data.num_classes > 0 ? static_cast<Size>(samples.classes.size())
                                          : static_cast<Size>(samples.targets.size()) / data.num_targets,
             width = static_cast<Size>(outputs.size()) / std::max<Size>(count, 1);
  MetricSet metrics;
  if (data.num_classes > 0) {
    std::vector<Size> predictions;
    for (Size i = 0; i < count; ++i) {
      const std::span<const double> row = outputs.subspan(at(i * width), at(width));
      predictions.push_back(std::max_element(row.begin(), row.end()) - row.begin());
    }
    metrics = classification_metrics(predictions, samples.classes, data.num_classes);
    const double right = metrics.at("accuracy");
    metrics.set("accuracy_deviation", std::sqrt(right * (1 - right) / static_cast<double>(count)));
    return metrics;
  }
  const Size targets = data.num_targets;
  std::vector<double> predictions, deviations, percent(at(targets));
  double bias = 0, chi2 = 0, percent_squares = 0;
  for (Size i = 0; i < count; ++i) {
    for (Size t = 0; t < targets; ++t) {
      const double target = samples.targets[at(i * targets + t)];
      predictions.push_back(outputs[at(i * width + t)]);
      const double error = predictions.back() - target;
      bias += error;
      percent[at(t)] += 100 * std::abs(error / target) / static_cast<double>(count);
      percent_squares += std::pow(100 * error / target, 2);
      if (width == targets) continue;
      deviations.push_back(outputs[at(i * width + targets + t)]);
      chi2 += error * error / std::max(deviations.back() * deviations.back(), 1e-300);
    }
  }
  const auto entries = static_cast<double>(predictions.size());
  double mean_percent = 0;
  for (const double p : percent) mean_percent += p / static_cast<double>(targets);
  metrics.set("percent_error", mean_percent);
  const MetricSet errors = regression_metrics(predictions, samples.targets);
  for (const auto& [name, value] : errors.values()) metrics.set(name, value);
  metrics.set("bias", bias / entries);
  const double spread = std::max(0.0, percent_squares / entries - mean_percent * mean_percent);
  metrics.set("percent_error_deviation", std::sqrt(spread / entries));
  metrics.set("rmse_deviation", metrics.at("rmse") / std::sqrt(2 * entries));
  for (Size t = 0; targets > 1 && t < targets; ++t) {
    metrics.set(fmt::format("{}_percent_error", t), percent[at(t)]);
  }
  if (deviations.empty()) return metrics;
  double sum = 0;
  for (const double d : deviations) sum += d;
  metrics.set("mean_deviation", sum / entries);
  metrics.set("chi2", chi2 / entries);
  return metrics;
}

TrainingHistory train_on_sphere(SphereModel& model, const SphereSplits& data,
                                const SphereTrainingOptions& options, const TrainingHooks& hooks) {
  if (data.train.count() == 0) {
    throw ValueError("sphere training: got no maps to train on; expected at least 1");
  }
  return SphereTraining(model, data, options, hooks).run();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
