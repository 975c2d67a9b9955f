#pragma once

#include "tarn/datasets/retrieval_sets.hpp"
#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/retrieval/retrieval_trainer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// Options of `tarn run retrieval-toy` that are no tables.
struct RetrievalToyOptions {
  std::vector<std::string> readouts{"mean",   "max",           "attentional", "gem",
                                    "x-pool", "query-softmax", "query-topk"};
  std::vector<Size> seeds{0, 1, 2, 3, 4};
  Size epochs = 30;
  Size batch = 32;
  double lr = 1e-3;
  double temperature = 0.05;

  void fields(Fields& f);
};

/// The table `data`.
struct RetrievalToyData : RetrievalSetOptions {
  Size train = 1000;
  Size evaluation = 200;

  void fields(Fields& f);
};

/// Finds sets by queries that tell of one row of theirs, as text-video retrieval does: readouts that make one
/// vector of a set against query-conditioned ones, which make one for every query.
class RetrievalToy final : public Experiment {
 public:
  std::string name() const override { return "retrieval-toy"; }
  std::string summary() const override {
    return "sets found by queries: readouts with and without the query";
  }
  std::string help() const override;
  std::vector<FieldDescription> options() const override;
  Value resolve(const Value& given) const override;
  void run(ExperimentContext& context) const override;
};

}  // namespace tarn
