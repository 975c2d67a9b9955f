#pragma once

#include "tarn/experiments/trials.hpp"

#include <string>

namespace tarn {

/// How many texts an accuracy is over, its standard error, and what choosing the best epoch is worth; ""
/// where no trial kept its items.
[[nodiscard]] std::string standard_error_note(const TrialSet& trials);

/// Readouts without parameters: the trained linear head, and in brackets the best linear head. "" without
/// both.
[[nodiscard]] std::string ceiling_table(const TrialSet& trials);

}  // namespace tarn
