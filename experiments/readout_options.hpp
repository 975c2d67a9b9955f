#pragma once

#include "tarn/core/options.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tarn {

/// How an experiment's configuration speaks of readouts: `readouts` names them ("all": every one that fits),
/// a table `readout` gives options to all of them that have such an option, and a table of a readout's name
/// to that one: `readout.hidden_channels = 64`, `glot.tau = 0.6`.

/// A readout as a configuration sees it.
struct ReadoutEntry {
  std::string name;
  std::function<std::vector<FieldDescription>()> describe;
  std::function<Value(const Value& options)> resolve;        ///< fills in defaults; throws ConfigError
  std::function<void(const Value& options)> require_usable;  ///< throws for options that do not fit together
  std::vector<std::string> reserved;  ///< options that are set from the data and not the user's
  std::function<std::string()> misfit =
      {};  ///< why "all" leaves it out, "" if it does not; empty: it never does

  /// Options that the user may set.
  [[nodiscard]] std::vector<std::string> option_names() const;
};

/// Options of a set or query-conditioned readout that it cannot be made without, or says nothing without: the
/// lengths of its lists, how many rows it keeps. Under whatever an experiment and the user say.
[[nodiscard]] Value essential_options(const std::string& readout);

/// Why a set readout with its essential options cannot turn the rows of a set, and nothing else, into one
/// vector: what it lacks, in its own words; "" if it can.
[[nodiscard]] std::string why_unfit(const std::string& readout);

/// The set readouts that can.
[[nodiscard]] std::vector<std::string> fitting_readouts();

/// The query-conditioned readouts of their registry.
[[nodiscard]] std::vector<ReadoutEntry> query_readout_entries();

/// The set readouts of the registry.
[[nodiscard]] std::vector<ReadoutEntry> set_readout_entries();

/// The entries that belong to the experiment itself: without `experiment`, `data`, `readout`, the `tables`
/// and the tables of readouts, and with the list in place of `readouts = "all"`.
[[nodiscard]] Value own_options(const Value& given,
                                const std::vector<ReadoutEntry>& entries = set_readout_entries(),
                                const std::vector<std::string>& tables = {});

/// Options of each readout by its name, all filled in. `defaults` gives the experiment's own, over the
/// essential ones; what is given lies over both. Throws ConfigError for an unknown readout or option, and for
/// a value out of range.
[[nodiscard]] Value resolve_readouts(const Value& given, const std::vector<std::string>& readouts,
                                     const std::function<Value(const std::string& readout)>& defaults,
                                     const std::vector<ReadoutEntry>& entries = set_readout_entries());

}  // namespace tarn
