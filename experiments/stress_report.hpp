#pragma once

#include "tarn/core/value.hpp"
#include "tarn/experiments/run_directory.hpp"
#include "tarn/experiments/stress_options.hpp"
#include "tarn/experiments/trials.hpp"

#include <string>
#include <vector>

namespace tarn {

/// The generator's self-check of every ratio, for the first seed; "" where texts come from a store.
[[nodiscard]] std::string stress_self_check(const StressPlan& plan);

/// What the reader must know before believing a number.
[[nodiscard]] std::vector<std::string> stress_warnings(const StressPlan& plan, const TrialSet& trials);

/// How the numbers were obtained, and what they allow to conclude: only sentences that these trials bear out.
[[nodiscard]] std::vector<std::string> stress_notes(const StressPlan& plan, const TrialSet& trials);

/// sample.json: the first evaluation text at the highest ratio with the trained readouts of the first seed.
[[nodiscard]] Value stress_sample(const StressPlan& plan, const RunDirectory& run);

}  // namespace tarn
