#include "tarn/experiments/builtin.hpp"

#include "tarn/experiments/graphs/graph_classification.hpp"
#include "tarn/experiments/mesh/mesh_experiment.hpp"
#include "tarn/experiments/readouts/readout_comparison.hpp"
#include "tarn/experiments/retrieval/retrieval_toy.hpp"
#include "tarn/experiments/sentence_tasks.hpp"
#include "tarn/experiments/sphere/sphere_equivariance.hpp"
#include "tarn/experiments/sphere/sphere_experiment.hpp"
#include "tarn/experiments/stress.hpp"

namespace tarn {

void register_experiments(ExperimentList& list) {
  list.add(std::make_unique<Stress>());
  list.add(std::make_unique<SentenceExperiment>(SentenceTask::tokens));
  list.add(std::make_unique<SentenceExperiment>(SentenceTask::sts));
  for (GraphPreset& preset : graph_presets())
    list.add(std::make_unique<GraphClassification>(std::move(preset)));
  list.add(std::make_unique<ReadoutComparison>());
  list.add(std::make_unique<RetrievalToy>());
  for (MeshPreset& preset : mesh_presets()) list.add(std::make_unique<MeshExperiment>(std::move(preset)));
  for (SpherePreset& preset : sphere_presets())
    list.add(std::make_unique<SphereExperiment>(std::move(preset)));
  list.add(std::make_unique<SphereEquivariance>());
}

}  // namespace tarn
