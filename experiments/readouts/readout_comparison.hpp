#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/readouts/readout_comparison_options.hpp"

namespace tarn {

/// Every readout that fits on the same tasks: the stress test at several ratios of noise, over seeds, and the
/// embedded set of graphs, over folds, with costs and tests of all pairs.
class ReadoutComparison final : public Experiment {
 public:
  std::string name() const override { return "readouts"; }
  std::string summary() const override { return "all readouts side by side, on texts and on graphs"; }
  std::string help() const override;
  std::vector<FieldDescription> options() const override { return describe_readout_comparison(); }
  Value resolve(const Value& given) const override { return resolve_readout_comparison(given); }
  void run(ExperimentContext& context) const override;
};

}  // namespace tarn
