#pragma once

#include "tarn/datasets/graphs/split_lists.hpp"
#include "tarn/experiments/graphs/graph_model.hpp"
#include "tarn/experiments/graphs/graph_task.hpp"
#include "tarn/experiments/training.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace tarn {

/// How a graph model is trained: Adam with betas 0.9 and 0.999, eps 1e-8.
struct GraphTrainingOptions {
  Size epochs = 350;
  Size batch = 32;
  Size draws = 0;  ///< 0: an epoch is one shuffled pass; else so many batches, each drawn afresh
  double lr = 0.01;
  double backbone_lr = 1;  ///< factors on lr for the parts of the model
  double readout_lr = 1;
  double head_lr = 1;
  Size lr_step = 50;  ///< epochs after which lr is multiplied by lr_decay
  double lr_decay = 0.5;
  Size warmup = 0;  ///< steps in which lr climbs to its value
  double clip = 0;  ///< largest norm of all gradients together; 0: no limit
  double weight_decay = 0;
  Rng rng{};  ///< of the parameters' start, the order of the graphs, dropout
};

enum class Normalisation { none, standard };

inline namespace TARN_PRECISION {

/// What a fold trains and is measured on. Statistics of attributes and targets come from its training graphs.
struct GraphFold {
  const GraphSet& set;
  const GraphTaskInfo& task;
  const Fold& fold;
  Normalisation attributes = Normalisation::none;
};

/// Trains a model on a fold's training graphs and measures it after each epoch: test metrics under their
/// names, those of the validation graphs under `validation_NAME`, and of the training pass train_accuracy
/// (for classes) and what the readout has to say of itself. The last short batch is kept; one that is too
/// small for the model's norms joins the one before.
///
/// Goes on from a checkpoint with the same bits; the same bits for any number of threads. `enough` may end
/// training early. Throws DivergedError when the loss is not finite, Interrupted when the hook says so.
[[nodiscard]] TrainingHistory train_graphs(
    GraphModel& model, const GraphFold& data, const GraphTrainingOptions& options,
    const TrainingHooks& hooks = {}, const std::function<bool(const std::vector<EpochRecord>&)>& enough = {});

/// Outputs of a trained model for some graphs, [n, outputs] row-major, with the statistics of `data`'s
/// training graphs; targets in their own units.
[[nodiscard]] std::vector<double> predict_graphs(GraphModel& model, const GraphFold& data,
                                                 std::span<const Size> graphs);

}  // namespace TARN_PRECISION
}  // namespace tarn
