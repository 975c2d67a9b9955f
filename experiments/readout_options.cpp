#include "tarn/experiments/readout_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

#include <algorithm>

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

std::vector<ReadoutEntry> set_readout_entries() {
  std::vector<ReadoutEntry> entries;
  for (const auto& entry : readouts().entries()) {
    const std::string name = entry.name;
    entries.push_back(
        {name,
         entry.describe,
         entry.resolve,
         [name](const Value& options) { static_cast<void>(make_readout(name, trial_width, options)); },
         {"in_channels"}});
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
    result.set("readouts", Value::List(names.begin(), names.end()));
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
    const std::vector<std::string> known = entry.option_names();
    Value options = defaults(name);
    if (options.is_null()) options = Value::Table{};
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
