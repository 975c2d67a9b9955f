#pragma once

#include "tarn/experiments/experiment.hpp"

namespace tarn {

/// Adds the built-in experiments.
void register_experiments(ExperimentList& list);

}  // namespace tarn
