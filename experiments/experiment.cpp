#include "tarn/experiments/experiment.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/builtin.hpp"

#include <fmt/format.h>

namespace tarn {

void ExperimentList::add(std::unique_ptr<Experiment> experiment) {
  if (find(experiment->name()) != nullptr) {
    throw ValueError(
        fmt::format("experiment '{}': added twice; expected names to be unique", experiment->name()));
  }
  entries_.push_back(std::move(experiment));
}

std::vector<std::string> ExperimentList::names() const {
  std::vector<std::string> result;
  for (const auto& entry : entries_) result.push_back(entry->name());
  return result;
}

const Experiment* ExperimentList::find(std::string_view name) const {
  for (const auto& entry : entries_) {
    if (entry->name() == name) return entry.get();
  }
  return nullptr;
}

ExperimentList& experiments() {
  static ExperimentList list = [] {
    ExperimentList built_in;
    register_experiments(built_in);
    return built_in;
  }();
  return list;
}

}  // namespace tarn
