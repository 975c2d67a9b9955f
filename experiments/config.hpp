#pragma once

#include "tarn/core/value.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace tarn {

/// Reads TOML text into a table whose every value knows its place, `where:line:column`. Dates and times are
/// refused. Throws ConfigError with the place.
[[nodiscard]] Value parse_toml(std::string_view text, const std::string& where);

/// Reads a TOML file; throws ConfigError if it cannot be read.
[[nodiscard]] Value read_toml(const std::filesystem::path& path);

/// The table as TOML: plain keys first, then one section per table. Reads back as an equal table; null
/// entries are left out, since TOML has none.
[[nodiscard]] std::string write_toml(const Value& table);

/// Lays `key=value` arguments over a table, the last one winning. Keys are dotted paths (`glot.tau`), values
/// TOML; a bare word that is no TOML value (`mode=matched`, `data.store=a/b.h5`) is taken as text. The place
/// of each value is `command line: KEY`. Throws ConfigError.
void apply_overrides(Value& table, std::span<const std::string> overrides);

/// The dotted path of the first difference between two tables, or "" when they are equal.
[[nodiscard]] std::string first_difference(const Value& a, const Value& b);

}  // namespace tarn
