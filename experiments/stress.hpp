#pragma once

#include "tarn/experiments/experiment.hpp"

namespace tarn {

/// The distractor stress test: a clause hidden among random words says by one marker whether it is negated,
/// and readouts must find it. Readouts over rising shares of noise, then a structure test whose label lies in
/// no single token. GLOT's diagnostic with its length leak removed; Mantri et al. 2026, arXiv 2603.03389.
class Stress final : public Experiment {
 public:
  std::string name() const override { return "stress"; }
  std::string summary() const override {
    return "readouts on a clause among distractors, at rising ratios of noise";
  }
  std::string help() const override;
  std::vector<FieldDescription> options() const override;
  Value resolve(const Value& given) const override;
  void run(ExperimentContext& context) const override;
};

}  // namespace tarn
