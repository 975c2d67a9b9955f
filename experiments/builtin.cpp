#include "tarn/experiments/builtin.hpp"

namespace tarn {

/// One line for each: `list.add(std::make_unique<Stress>());`.
void register_experiments([[maybe_unused]] ExperimentList& list) {}

}  // namespace tarn
