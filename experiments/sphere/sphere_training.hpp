#pragma once

#include "tarn/experiments/sphere/sphere_network.hpp"
#include "tarn/experiments/sphere/sphere_samples.hpp"
#include "tarn/experiments/training.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include <array>
#include <functional>

namespace tarn {

enum class SphereLoss { cross_entropy, squared_error, moments };
inline std::span<const std::string_view> enum_names(SphereLoss) {
  static constexpr std::array<std::string_view, 3> names{"cross-entropy", "squared-error", "moments"};
  return names;
}

/// How a network on the sphere is trained: Adam with betas 0.9 and 0.999, eps 1e-7.
struct SphereTrainingOptions {
  Size epochs = 1;
  Size batch = 32;
  double lr = 1e-3;
  SphereLoss loss = SphereLoss::cross_entropy;
  Size final_epochs = 0;  ///< the last epochs, which run at lr_factor times the rate
  Size lr_patience = 0;   ///< epochs without gain in validation loss before the rate falls; 0: it does not
  double lr_factor = 0.1;
  double min_gain = 1e-4;
  Size patience = 0;  ///< epochs without gain after which training ends; 0: never
  healpix::Augment augment = healpix::Augment::none;  ///< by symmetries that keep the sky what it is
  /// Channels 0 and 1 are Stokes parameters Q and U: mirrors change the sign of U.
  bool stokes = false;
  Rng rng{};  ///< of the parameters' start, the order of the maps, dropout, augmentation
};

/// Factor on the learning rate of the epoch behind those in `validation_losses`: times `lr_factor` whenever
/// `lr_patience` epochs have gained less than `min_gain` on the best, as Keras' ReduceLROnPlateau.
[[nodiscard]] double plateau_factor(std::span<const double> validation_losses,
                                    const SphereTrainingOptions& options);
/// Whether the best loss, by more than `min_gain`, is `patience` epochs old.
[[nodiscard]] bool out_of_gain(std::span<const double> validation_losses,
                               const SphereTrainingOptions& options);

inline namespace TARN_PRECISION {

/// A network with what brings its maps and numbers to size one: inputs are divided by the deviation of all
/// pixels of the training maps (of numbers alone; images stay in [0, 1]), targets have the mean taken off and
/// are divided by their deviation. They travel with the parameters, as `input_deviation`, `target_mean` and
/// `target_deviation`.
class SphereModel final : public Module {
 public:
  SphereModel(std::unique_ptr<SphereNetwork> network, Size num_targets);
  /// Draws the parameters and takes the sizes from the training maps.
  void start(const Rng& rng, const SphereSplits& data);
  /// maps [B, P, C] in NEST order -> [B, outputs], targets in units of their deviation.
  [[nodiscard]] Var forward(Tape& tape, ConstMatrixView maps, Size count) {
    return network_.forward(scaled_maps(tape, maps, count));
  }
  [[nodiscard]] SphereNetwork& network() { return network_; }
  [[nodiscard]] double scaled(double target, Size t) const;
  [[nodiscard]] double restored(double output, Size t) const;
  /// A deviation in units of the targets.
  [[nodiscard]] double restored_deviation(double output, Size t) const;

 private:
  void scale_to(const SphereSplits& data);
  [[nodiscard]] SphereMaps scaled_maps(Tape& tape, ConstMatrixView maps, Size count);

  SphereNetwork& network_;
  Parameter& input_deviation_;
  Parameter* target_mean_ = nullptr;
  Parameter* target_deviation_ = nullptr;
};

/// Outputs of a model for maps, [n, outputs] row-major: logits, or numbers in their own units (with
/// `moments` behind them as many deviations).
[[nodiscard]] std::vector<double> predict_maps(SphereModel& model, const SphereSamples& samples,
                                               SphereLoss loss);

/// Metrics of predictions; of the samples only the answers are read. Classes: accuracy, macro_f1. Numbers:
/// mae, rmse, bias (mean of prediction - target), r2, percent_error (mean of 100 |prediction - target| /
/// target) and, with several numbers, the percent_error of each as `I_percent_error`; with deviations,
/// mean_deviation and chi2 (mean of error^2 / deviation^2). `accuracy_deviation`, `percent_error_deviation`
/// and `rmse_deviation` are the standard errors of these means over the maps.
[[nodiscard]] MetricSet sphere_metrics(const SphereAnswers& answers, const SphereSamples& samples,
                                       std::span<const double> outputs);

/// Trains a model and measures it after each epoch: test metrics under their names, those of the validation
/// maps as `validation_NAME`. The epoch that counts is the one with the lowest validation loss, whose
/// parameters the model ends with; without validation maps the last. `predictions` are those of the test maps
/// then.
///
/// Goes on from a checkpoint with the same bits; the same bits for any number of threads. Throws
/// DivergedError when the loss is not finite, Interrupted when the hook says so, ValueError without training
/// maps.
[[nodiscard]] TrainingHistory train_on_sphere(SphereModel& model, const SphereSplits& data,
                                              const SphereTrainingOptions& options,
                                              const TrainingHooks& hooks = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
