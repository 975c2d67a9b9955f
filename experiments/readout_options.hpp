#pragma once

#include "tarn/core/value.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tarn {

/// How an experiment's configuration speaks of readouts: `readouts` names them ("all": every one there is), a
/// table `readout` gives options to all of them that have such an option, and a table of a readout's name to
/// that one: `readout.hidden_channels = 64`, `glot.tau = 0.6`.

/// The entries that belong to the experiment itself: without `experiment`, `data`, `readout` and the tables
/// of readouts, and with the list in place of `readouts = "all"`.
[[nodiscard]] Value own_options(const Value& given);

/// Options of each readout by its name, all filled in. `defaults` gives the experiment's own; what is given
/// lies over them. Throws ConfigError for an unknown readout or option, and for a value out of range.
[[nodiscard]] Value resolve_readouts(const Value& given, const std::vector<std::string>& readouts,
                                     const std::function<Value(const std::string& readout)>& defaults);

}  // namespace tarn
