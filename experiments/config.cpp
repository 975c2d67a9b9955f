#include "tarn/experiments/config.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace tarn {

namespace {

std::string place(const std::string& where, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", where, region.begin.line, region.begin.column);
}

Value from_node(const toml::node& node, const std::string& where);

Value from_table(const toml::table& table, const std::string& where) {
  Value result{Value::Table{}};
  for (const auto& [key, node] : table) {
    Value value = from_node(node, where);
    value.set_where(place(where, key.source()));
    result.set(key.str(), std::move(value));
  }
  // toml++ sorts its keys; a written configuration should keep the order in which its author thought.
  std::stable_sort(result.table()->begin(), result.table()->end(), [&](const auto& a, const auto& b) {
    const auto& at_a = table.find(a.first)->first.source().begin;
    const auto& at_b = table.find(b.first)->first.source().begin;
    return at_a < at_b;
  });
  return result;
}

Value from_node(const toml::node& node, const std::string& where) {
  Value result;
  if (const auto* table = node.as_table()) {
    result = from_table(*table, where);
  } else if (const auto* array = node.as_array()) {
    Value::List items;
    for (const toml::node& item : *array) items.push_back(from_node(item, where));
    result = std::move(items);
  } else if (const auto* text = node.as_string()) {
    result = text->get();
  } else if (const auto* integer = node.as_integer()) {
    result = Size{integer->get()};
  } else if (const auto* number = node.as_floating_point()) {
    result = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    result = boolean->get();
  } else {
    throw ConfigError(
        fmt::format("{}: got a date or time; expected a number, text, true, false, a list or a table",
                    place(where, node.source())));
  }
  result.set_where(place(where, node.source()));
  return result;
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

std::string key_text(const std::string& key) {
  return is_bare_key(key) ? key : Value(key).text();
}

/// A value on one line; null items of lists cannot be written.
std::string inline_toml(const Value& value) {
  std::string out;
  if (const Value::List* list = value.list()) {
    for (const Value& item : *list) out += (out.empty() ? "" : ", ") + inline_toml(item);
    return "[" + out + "]";
  }
  if (const Value::Table* table = value.table()) {
    for (const auto& [key, item] : *table) {
      if (!item.is_null())
        out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", key_text(key), inline_toml(item));
    }
    return "{" + out + "}";
  }
  return value.text();
}

void write_section(const Value& table, const std::string& path, std::string& out) {
  for (const auto& [key, value] : *table.table()) {
    if (value.is_null() || value.table() != nullptr) continue;
    out += fmt::format("{} = {}\n", key_text(key), inline_toml(value));
  }
  for (const auto& [key, value] : *table.table()) {
    if (value.table() == nullptr) continue;
    const std::string section = path.empty() ? key_text(key) : path + "." + key_text(key);
    out += fmt::format("{}[{}]\n", out.empty() ? "" : "\n", section);
    write_section(value, section, out);
  }
}

/// True for text that a shell user types without quotes: it must not look like the beginning of a TOML value.
bool is_bare_word(std::string_view text) {
  return !text.empty() && std::string_view("[]{}\"'=#").find(text.front()) == std::string_view::npos &&
         text.find_first_of("\n\r") == std::string_view::npos;
}

Value parse_override(const std::string& key, const std::string& text) {
  const std::string where = "command line: " + key;
  try {
    const Value parsed = parse_toml("value = " + text, where);
    if (parsed.table()->size() == 1) return *parsed.find("value");
  } catch (const ConfigError&) {
    // Handled below: bare words and broken values both end here.
  }
  if (is_bare_word(text)) return text;
  throw ConfigError(fmt::format("{}: got {}; expected a TOML value such as 3, 0.5, true, \"text\" or [1, 2]",
                                where, text.empty() ? "nothing" : text));
}

void set_where_deep(Value& value, const std::string& where) {
  value.set_where(where);
  if (Value::List* list = value.list()) {
    for (Value& item : *list) set_where_deep(item, where);
  }
  if (Value::Table* table = value.table()) {
    for (auto& [key, item] : *table) set_where_deep(item, where + "." + key);
  }
}

}  // namespace

Value parse_toml(std::string_view text, const std::string& where) {
  try {
    return from_table(toml::parse(text), where);
  } catch (const toml::parse_error& error) {
    throw ConfigError(
        fmt::format("{}: not valid TOML: {}", place(where, error.source()), error.description()));
  }
}

Value read_toml(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || std::filesystem::is_directory(path) || !(text << file.rdbuf())) {
    throw ConfigError(fmt::format("{}: cannot be read; expected a TOML file", path.string()));
  }
  return parse_toml(text.str(), path.string());
}

std::string write_toml(const Value& table) {
  std::string out;
  if (table.table() != nullptr) write_section(table, "", out);
  return out;
}

void apply_overrides(Value& table, std::span<const std::string> overrides) {
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    std::istringstream parts(key);
    bool valid = equals != std::string::npos && !key.empty() && key.back() != '.';
    for (std::string part; std::getline(parts, part, '.');) valid = valid && is_bare_key(part);
    if (!valid) {
      throw ConfigError(
          fmt::format("command line: got '{}'; expected KEY=VALUE such as epochs=5 or glot.tau=0.4", text));
    }
    Value value = parse_override(key, text.substr(equals + 1));
    set_where_deep(value, "command line: " + key);
    table.set_path(key, std::move(value));
  }
}

std::string first_difference(const Value& a, const Value& b) {
  const auto path = [](const std::string& key, const std::string& rest) {
    return rest == "." ? key : key + "." + rest;
  };
  if (a.table() == nullptr || b.table() == nullptr) return a == b ? "" : ".";
  for (const auto& [key, value] : *a.table()) {
    const Value* other = b.find(key);
    const std::string rest =
        other == nullptr ? (value.is_null() ? "" : ".") : first_difference(value, *other);
    if (!rest.empty()) return path(key, rest);
  }
  for (const auto& [key, value] : *b.table()) {
    if (a.find(key) == nullptr && !value.is_null()) return key;
  }
  return "";
}

}  // namespace tarn
