#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/mesh/mesh_options.hpp"

#include <vector>

namespace tarn {

/// Primal-dual networks on meshes: the class of a mesh or the parts of its faces. One experiment for every
/// preset.
class MeshExperiment final : public Experiment {
 public:
  explicit MeshExperiment(MeshPreset preset) : preset_(std::move(preset)) {}
  std::string name() const override { return preset_.name; }
  std::string summary() const override;
  std::string help() const override;
  std::vector<FieldDescription> options() const override { return describe_mesh_run(preset_); }
  Value resolve(const Value& given) const override { return resolve_mesh_run(given, preset_); }
  void run(ExperimentContext& context) const override;

 private:
  MeshPreset preset_;
};

/// mesh-demo (generated), mesh-shapes (classification) and mesh-parts (segmentation).
[[nodiscard]] std::vector<MeshPreset> mesh_presets();

}  // namespace tarn
