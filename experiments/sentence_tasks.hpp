#pragma once

#include "tarn/experiments/experiment.hpp"
#include "tarn/experiments/sentence_options.hpp"

namespace tarn {

/// Readouts on the hidden states of a token store: `tokens` classifies texts or pairs by a linear head, `sts`
/// scores pairs by the cosine of their pooled vectors, fixed readouts untrained and learned ones trained
/// first by cosine-mse-loss. The protocol of Mantri et al. 2026, arXiv 2603.03389, section GLUE, with equal
/// budgets.
class SentenceExperiment final : public Experiment {
 public:
  explicit SentenceExperiment(SentenceTask task) : task_(task) {}
  std::string name() const override;
  std::string summary() const override;
  std::string help() const override;
  std::vector<FieldDescription> options() const override { return describe_sentence_options(task_); }
  Value resolve(const Value& given) const override { return resolve_sentences(task_, given); }
  void run(ExperimentContext& context) const override;

 private:
  SentenceTask task_;
};

}  // namespace tarn
