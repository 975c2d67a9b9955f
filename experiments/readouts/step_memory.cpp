#include "tarn/experiments/readouts/step_memory.hpp"

#include "tarn/core/losses.hpp"
#include "tarn/experiments/graph_supply.hpp"

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

std::span<const Size> first_batch(const std::vector<Size>& rows, Size batch) {
  return std::span(rows).first(std::min(rows.size(), static_cast<std::size_t>(batch)));
}

}  // namespace

Size step_bytes(const ReadoutPlan& plan, const TextTrialData& data) {
  TextModel model(make_readout(plan.readout, data.shape.dim, plan.options), data.shape);
  model.init(Rng(plan.training.seed).split("model"));
  GraphSupply supply(model.readout(), data.shape.num_texts, 0);
  Tape tape;
  const std::span<const Size> rows = first_batch(data.rows.train, plan.training.batch);
  data.train.for_batches({.rows = rows, .batch = plan.training.batch}, [&](const TextBatch& batch) {
    std::vector<double> labels;
    for (const Size row : batch.rows) labels.push_back(data.train.label(row));
    tape.reset({.training = true, .products = plan.training.products});
    tape.backward(model.loss(tape, batch, supply.graphs(batch, 0), labels));
  });
  return static_cast<Size>(tape.arena().peak_bytes());
}

Size step_bytes(const GraphPlan& plan, const GraphRunData& data, const GraphTrial& trial) {
  const auto model = make_graph_model(
      plan.model, trial.readout, *plan.readouts.find(trial.readout),
      {.feature_dim = data.set.feature_dim(), .edge_dim = data.set.edge_dim(), .outputs = data.task.outputs});
  model->init(Rng(static_cast<std::uint64_t>(trial.seed)).split("model"));
  GraphBatcher batcher(data.set, model->edge_features());
  Tape tape;
  const GraphBatch& batch =
      batcher.assemble(first_batch(data.fold(trial.repeat, trial.fold).train, plan.run.batch));
  tape.reset({.training = true});
  tape.backward(cross_entropy(model->forward(tape, batch), batch.classes));
  return static_cast<Size>(tape.arena().peak_bytes());
}

}  // namespace TARN_PRECISION
}  // namespace tarn
