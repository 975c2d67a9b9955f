#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/product.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/experiments/mesh/mesh_samples.hpp"
#include "tarn/experiments/training.hpp"

#include <array>
#include <functional>

namespace tarn {

/// How the learning rate moves over the epochs: not at all; constant and then falling in a line to zero (the
/// published jobs); or a half cosine to zero.
enum class EpochSchedule { constant, lambda, cosine };
inline std::span<const std::string_view> enum_names(EpochSchedule) {
  static constexpr std::array<std::string_view, 3> names{"constant", "lambda", "cosine"};
  return names;
}

struct MeshTrainingOptions {
  Size epochs = 200;
  Size batch = 16;
  double lr = 2e-4;
  double weight_decay = 0;
  double label_smoothing = 0;
  double clip = 0;
  EpochSchedule schedule = EpochSchedule::constant;
  Size last_constant_epoch = 100;
  ProductPrecision products = ProductPrecision::full;
  void fields(Fields& f);
};

/// Factor on the learning rate in epoch 1, 2, ... `lambda`: 1 up to the last constant epoch c, then max(0,
/// (epoch - l - 1) / (c - l - 1)) with l the number of epochs. `cosine`: (1 + cos(pi (epoch - 1) / l)) / 2.
[[nodiscard]] double epoch_factor(const MeshTrainingOptions& options, Size epoch);

inline namespace TARN_PRECISION {

/// Predictions for samples: a class per mesh, or per face, mesh after mesh. Where each mesh comes as `copies`
/// samples in a row, the mean of their probabilities decides.
[[nodiscard]] std::vector<Size> predict_meshes(MeshNetwork& network, const std::vector<MeshSample>& samples,
                                               DualConfiguration configuration, Size batch, Size copies = 1);

/// Metrics of predictions by name.
using MeshMetrics = std::function<MetricSet(std::span<const Size> predictions)>;

/// Trains a network by Adam (betas 0.9, 0.999, eps 1e-8): meshes in an order that seed and epoch shuffle, the
/// last short batch kept; cross entropy, the mean over the meshes of a batch or over its faces; evaluation
/// after each epoch. Epoch records also hold the largest degree and number of dual edges that pooling made in
/// the epoch, and whether a pool was idle. The final predictions average the copies of test meshes where
/// there are some. Goes on from a checkpoint with the same bits; the same bits for any number of threads.
/// Throws DivergedError and Interrupted.
[[nodiscard]] TrainingHistory train_meshes(MeshNetwork& network, MeshSamples& samples,
                                           DualConfiguration configuration,
                                           const MeshTrainingOptions& options, std::uint64_t seed,
                                           const MeshMetrics& metrics, const TrainingHooks& hooks);

}  // namespace TARN_PRECISION
}  // namespace tarn
