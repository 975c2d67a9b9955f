#pragma once

#include "tarn/core/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// Tables within an experiment's configuration: `data.nside = 16` is the option nside of the table data.

/// The table of that name, empty where it is not given. Throws ConfigError, with the place, for another
/// value.
[[nodiscard]] Value table_of(const Value& given, std::string_view name);

/// What a configuration says beside `experiment` and these tables.
[[nodiscard]] Value options_beside(const Value& given, const std::vector<std::string_view>& tables);

/// Appends the options of a table, `table.option`.
void describe_table(std::vector<FieldDescription>& all, const std::string& table,
                    const std::vector<FieldDescription>& fields);

/// Shows an experiment's own defaults in place of the options'.
void describe_defaults(std::vector<FieldDescription>& all, const Value& defaults);

/// `where: ` of a value that knows its place, else nothing.
[[nodiscard]] std::string place_of(const Value& value);

}  // namespace tarn
