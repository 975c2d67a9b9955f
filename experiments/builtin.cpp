#include "tarn/experiments/builtin.hpp"

#include "tarn/experiments/stress.hpp"

namespace tarn {

void register_experiments(ExperimentList& list) {
  list.add(std::make_unique<Stress>());
}

}  // namespace tarn
