#pragma once

#include "tarn/experiments/sphere/sphere_run.hpp"
#include "tarn/experiments/table.hpp"

#include <string>
#include <vector>

namespace tarn {

/// The main metric of a task: accuracy, percent_error (mean of 100 |l - l_p| / l_p), or rmse for tau.
[[nodiscard]] std::string sphere_metric(SphereTask task);

/// A row per column and method: the main metric with its interval over seeds, and, for fields, its ratio to
/// the Fisher bound and to the likelihood of the same column; coverage, maps, parameters, epochs, times.
[[nodiscard]] Table sphere_table(const SphereRun& run);

/// What to know before believing a number: the protocol and what it is comparable with.
[[nodiscard]] std::vector<std::string> sphere_notes(const SphereRun& run);

}  // namespace tarn
