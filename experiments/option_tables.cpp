#include "tarn/experiments/option_tables.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

Value table_of(const Value& given, std::string_view name) {
  const Value* table = given.find(name);
  if (table == nullptr || table->is_null()) return Value(Value::Table{});
  if (table->table() == nullptr) {
    throw ConfigError(fmt::format("{}{}: got {}; expected a table", place_of(*table), name, table->text()));
  }
  return *table;
}

Value options_beside(const Value& given, const std::vector<std::string_view>& tables) {
  Value own{Value::Table{}};
  if (given.table() == nullptr) return own;
  for (const auto& [key, value] : *given.table()) {
    const bool is_table = std::find(tables.begin(), tables.end(), key) != tables.end();
    if (key != "experiment" && !is_table) own.set(key, value);
  }
  return own;
}

void describe_table(std::vector<FieldDescription>& all, const std::string& table,
                    const std::vector<FieldDescription>& fields) {
  for (const FieldDescription& field : fields) {
    all.push_back(field);
    all.back().name = table + "." + field.name;
  }
}

void describe_defaults(std::vector<FieldDescription>& all, const Value& defaults) {
  for (FieldDescription& field : all) {
    if (const Value* own = defaults.find_path(field.name)) field.default_value = *own;
  }
}

std::string place_of(const Value& value) {
  return value.where().empty() ? "" : value.where() + ": ";
}

}  // namespace tarn
