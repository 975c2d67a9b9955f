#include "tarn/experiments/readout_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr const char* width_option = "in_channels";  // set from the data
constexpr Size trial_width = 8;

std::string place(const Value& value) {
  return value.where().empty() ? "" : value.where() + ": ";
}

/// Throws where an option of the table `readout` belongs to none of the readouts.
void require_known(const Value& shared, const std::vector<std::string>& names) {
  if (shared.table() == nullptr) {
    throw ConfigError(
        fmt::format("{}readout: got {}; expected a table of options", place(shared), shared.text()));
  }
  std::vector<std::string> known;
  for (const std::string& name : names) {
    for (const FieldDescription& f : readouts().at(name).describe()) {
      if (f.name != width_option && std::find(known.begin(), known.end(), f.name) == known.end()) {
        known.push_back(f.name);
      }
    }
  }
  for (const auto& [key, value] : *shared.table()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw ConfigError(fmt::format("{}unknown option '{}' for the readouts {}{}", place(value), key,
                                  fmt::join(names, ", "), suggestion(key, known)));
  }
}

Value without(const Value& table, const std::string& key) {
  Value::Table kept;
  for (const auto& entry : *table.table()) {
    if (entry.first != key) kept.push_back(entry);
  }
  return kept;
}

}  // namespace

Value own_options(const Value& given) {
  Value result{Value::Table{}};
  if (given.table() == nullptr) return result;
  for (const auto& [key, value] : *given.table()) {
    if (key == "experiment" || key == "data" || key == "readout" || readouts().find(key) != nullptr) continue;
    result.set(key, value);
  }
  if (const Value* names = result.find("readouts"); names != nullptr && *names == Value("all")) {
    const std::vector<std::string> all = readouts().names();
    result.set("readouts", Value::List(all.begin(), all.end()));
  }
  return result;
}

Value resolve_readouts(const Value& given, const std::vector<std::string>& names,
                       const std::function<Value(const std::string&)>& defaults) {
  for (const std::string& name : names) static_cast<void>(readouts().at(name));
  const Value* shared = given.find("readout");
  if (shared != nullptr) require_known(*shared, names);
  Value result{Value::Table{}};
  for (const std::string& name : names) {
    const auto& entry = readouts().at(name);
    Value options = defaults(name);
    if (options.is_null()) options = Value::Table{};
    if (shared != nullptr) {
      for (const auto& [key, value] : *shared->table()) {
        if (entry.has_option(key)) options.set(key, value);
      }
    }
    if (const Value* own = given.find(name)) {
      static_cast<void>(entry.resolve(*own));  // errors name the place that the user wrote
      options.merge(*own);
    }
    static_cast<void>(make_readout(name, trial_width, options));  // options that do not fit together
    result.set(name, without(entry.resolve(options), width_option));
  }
  return result;
}

}  // namespace tarn
