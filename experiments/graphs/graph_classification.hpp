#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/graphs/graph_options.hpp"

#include <memory>
#include <vector>

namespace tarn {

/// Classification of whole graphs (and questions and numbers about them): a backbone with several readouts
/// and the model without edges under a named protocol. One experiment for every preset.
class GraphClassification final : public Experiment {
 public:
  explicit GraphClassification(GraphPreset preset) : preset_(std::move(preset)) {}
  std::string name() const override { return preset_.name; }
  std::string summary() const override;
  std::string help() const override;
  std::vector<FieldDescription> options() const override { return describe_graph_run(preset_); }
  Value resolve(const Value& given) const override { return resolve_graph_run(given, preset_); }
  void run(ExperimentContext& context) const override;

 private:
  GraphPreset preset_;
};

/// mutag, proteins, ptc, imdb-b (sets of the TU collection), graphs-demo (generated) and graphs (any set by
/// data.path).
[[nodiscard]] std::vector<GraphPreset> graph_presets();

}  // namespace tarn
