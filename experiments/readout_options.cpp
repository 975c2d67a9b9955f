#include "tarn/experiments/readout_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <map>

namespace tarn {

namespace {

constexpr Size trial_width = 8;

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

std::string place(const Value& value) {
  return value.where().empty() ? "" : value.where() + ": ";
}

std::vector<std::string> names_of(const std::vector<ReadoutEntry>& entries) {
  std::vector<std::string> names;
  for (const ReadoutEntry& entry : entries) names.push_back(entry.name);
  return names;
}

const ReadoutEntry& entry_of(const std::vector<ReadoutEntry>& entries, const std::string& name) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const ReadoutEntry& e) { return e.name == name; });
  if (found == entries.end()) detail::throw_unknown_operator("readout", name, names_of(entries));
  return *found;
}

/// Throws where an option of the table `readout` belongs to none of the readouts.
void require_known(const Value& shared, const std::vector<std::string>& names,
                   const std::vector<ReadoutEntry>& entries) {
  if (shared.table() == nullptr) {
    throw ConfigError(
        fmt::format("{}readout: got {}; expected a table of options", place(shared), shared.text()));
  }
  std::vector<std::string> known;
  for (const std::string& name : names) {
    for (const std::string& option : entry_of(entries, name).option_names()) {
      if (!contains(known, option)) known.push_back(option);
    }
  }
  for (const auto& [key, value] : *shared.table()) {
    if (contains(known, key)) continue;
    throw ConfigError(fmt::format("{}unknown option '{}' for the readouts {}{}", place(value), key,
                                  fmt::join(names, ", "), suggestion(key, known)));
  }
}

Value list(std::initializer_list<Value> values) {
  return Value::List(values);
}

/// Whether a readout of any family has an option.
bool has_option(const std::string& readout, const char* option) {
  if (const auto* entry = readouts().find(readout)) return entry->has_option(option);
  const auto* entry = query_readouts().find(readout);
  return entry != nullptr && entry->has_option(option);
}

/// Lists and counts that the readouts themselves leave to whoever uses them.
std::map<std::string, Value> all_essentials() {
  constexpr Size hidden = 64, rows = 128, usual_size = 64;
  std::map<std::string, Value> all;
  const auto set = [&](const char* readout, const char* option, Value value) {
    if (has_option(readout, option)) all[readout].set(option, std::move(value));
  };
  set("quantile", "q", list({0.25, 0.5, 0.75}));
  set("sort", "k", 8);
  set("gmt", "k", 8);
  set("query-topk", "k", 1);
  set("set2set", "processing_steps", 3);
  for (const char* readout : {"lstm", "gru", "janossy", "lcm", "equilibrium"})
    set(readout, "out_channels", hidden);
  set("mlp", "max_num_elements", rows);
  set("mlp", "channels", list({hidden}));
  set("mlp", "truncate", true);
  set("deep-sets", "local_channels", list({hidden, hidden}));
  set("deep-sets", "global_channels", list({hidden}));
  set("multi", "aggrs", list({"mean", "max", "std"}));
  set("degree-scaler", "aggrs", list({"mean", "max", "min", "std"}));
  set("degree-scaler", "scaler", list({"identity", "amplification", "attenuation"}));
  // As if every training set had this size; whoever knows the sizes gives their histogram.
  Value::List deg(static_cast<std::size_t>(usual_size + 1), Value(Size{0}));
  deg.back() = Size{1};
  set("degree-scaler", "deg", deg);
  return all;
}

void require_fit(const ReadoutEntry& entry) {
  const std::string reason = entry.misfit ? entry.misfit() : "";
  if (reason.empty()) return;
  throw ConfigError(fmt::format(
      "readouts: '{}' does not fit: {}; expected readouts of the rows of a set alone", entry.name, reason));
}

Value without(const Value& table, const std::vector<std::string>& keys) {
  Value::Table kept;
  for (const auto& entry : *table.table()) {
    if (!contains(keys, entry.first)) kept.push_back(entry);
  }
  return kept;
}

}  // namespace

std::vector<std::string> ReadoutEntry::option_names() const {
  std::vector<std::string> names;
  for (const FieldDescription& field : describe()) {
    if (!contains(reserved, field.name)) names.push_back(field.name);
  }
  return names;
}

Value essential_options(const std::string& readout) {
  static const std::map<std::string, Value> all = all_essentials();
  const auto found = all.find(readout);
  return found == all.end() ? Value(Value::Table{}) : found->second;
}

std::string why_unfit(const std::string& readout) {
  constexpr Size width = 32;
  const Segments sets({0, 3, 4, 9});
  Tensor x({sets.num_rows(), width});
  for (Size i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Real>(1 + i % 7) / 8;
  Tape tape;
  try {
    const auto operation = make_readout(readout, width, essential_options(readout));
    if (operation->needs().weight) return "needs a weight of every row";
    if (operation->needs().neighbourhood) return "needs a grid or neighbours of the rows";
    operation->init(Rng(0));
    const Var y = operation->forward({.x = tape.input(x), .sets = sets}).y;
    if (y.shape().rank() == 2 && y.rows() == sets.count() && y.cols() == operation->out_dim(width)) return "";
    return fmt::format("{} sets of width {} become {}", sets.count(), width, y.shape().text());
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::string> fitting_readouts() {
  std::vector<std::string> names;
  for (const std::string& name : readouts().names()) {
    if (why_unfit(name).empty()) names.push_back(name);
  }
  return names;
}

std::vector<ReadoutEntry> query_readout_entries() {
  std::vector<ReadoutEntry> entries;
  for (const auto& entry : query_readouts().entries()) {
    const std::string name = entry.name;
    entries.push_back(
        {name,
         entry.describe,
         entry.resolve,
         [name](const Value& options) { static_cast<void>(make_query_readout(name, trial_width, options)); },
         {"in_channels"}});
  }
  return entries;
}

std::vector<ReadoutEntry> set_readout_entries() {
  std::vector<ReadoutEntry> entries;
  for (const auto& entry : readouts().entries()) {
    const std::string name = entry.name;
    entries.push_back(
        {name,
         entry.describe,
         entry.resolve,
         [name](const Value& options) { static_cast<void>(make_readout(name, trial_width, options)); },
         {"in_channels"},
         [name] { return why_unfit(name); }});
  }
  return entries;
}

Value own_options(const Value& given, const std::vector<ReadoutEntry>& entries,
                  const std::vector<std::string>& tables) {
  const std::vector<std::string> names = names_of(entries);
  Value result{Value::Table{}};
  if (given.table() == nullptr) return result;
  for (const auto& [key, value] : *given.table()) {
    if (key == "experiment" || key == "data" || key == "readout" || contains(names, key) ||
        contains(tables, key)) {
      continue;
    }
    result.set(key, value);
  }
  if (const Value* chosen = result.find("readouts"); chosen != nullptr && *chosen == Value("all")) {
    Value::List fitting;
    for (const ReadoutEntry& entry : entries) {
      if (!entry.misfit || entry.misfit().empty()) fitting.push_back(entry.name);
    }
    result.set("readouts", fitting);
  }
  return result;
}

Value resolve_readouts(const Value& given, const std::vector<std::string>& names,
                       const std::function<Value(const std::string&)>& defaults,
                       const std::vector<ReadoutEntry>& entries) {
  for (const std::string& name : names) static_cast<void>(entry_of(entries, name));
  const Value* shared = given.find("readout");
  if (shared != nullptr) require_known(*shared, names, entries);
  Value result{Value::Table{}};
  for (const std::string& name : names) {
    const ReadoutEntry& entry = entry_of(entries, name);
    require_fit(entry);
    const std::vector<std::string> known = entry.option_names();
    Value options = essential_options(name);
    if (const Value own = defaults(name); !own.is_null()) options.merge(own);
    if (shared != nullptr) {
      for (const auto& [key, value] : *shared->table()) {
        if (contains(known, key)) options.set(key, value);
      }
    }
    if (const Value* own = given.find(name)) {
      static_cast<void>(entry.resolve(*own));  // errors name the place that the user wrote
      options.merge(*own);
    }
    entry.require_usable(options);
    result.set(name, without(entry.resolve(options), entry.reserved));
  }
  return result;
}

}  // namespace tarn
