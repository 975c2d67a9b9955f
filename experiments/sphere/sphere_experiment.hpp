#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/sphere/sphere_options.hpp"

namespace tarn {

/// Networks on the sphere: images projected onto it, and Gaussian fields whose parameters are to be read off
/// the map, beside the Fisher bound and likelihood estimates. One experiment for every preset.
class SphereExperiment final : public Experiment {
 public:
  explicit SphereExperiment(SpherePreset preset) : preset_(std::move(preset)) {}
  std::string name() const override { return preset_.name; }
  std::string summary() const override { return preset_.summary; }
  std::string help() const override;
  std::vector<FieldDescription> options() const override { return describe_sphere_run(preset_); }
  Value resolve(const Value& given) const override { return resolve_sphere_run(given, preset_); }
  void run(ExperimentContext& context) const override;

 private:
  SpherePreset preset_;
};

}  // namespace tarn
