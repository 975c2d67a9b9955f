#include "tarn/core/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string number_text(double v) {
  if (std::isnan(v)) return "nan";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", v);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::optional<double> Value::number() const {
  if (const Size* i = integer()) return static_cast<double>(*i);
  if (const double* d = std::get_if<double>(&data_)) return *d;
  return std::nullopt;
}

const Value* Value::find(std::string_view key) const {
  const Table* entries = table();
  if (entries == nullptr) return nullptr;
  const auto it =
      std::find_if(entries->begin(), entries->end(), [&](const auto& e) { return e.first == key; });
  return it == entries->end() ? nullptr : &it->second;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

void Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Table{};
  if (Value* existing = find(key)) {
    *existing = std::move(value);
  } else {
    table()->emplace_back(std::string(key), std::move(value));
  }
}

const Value* Value::find_path(std::string_view path) const {
  const std::size_t dot = path.find('.');
  const Value* here = find(path.substr(0, dot));
  if (here == nullptr || dot == std::string_view::npos) return here;
  return here->find_path(path.substr(dot + 1));
}

void Value::set_path(std::string_view path, Value value) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return set(path, std::move(value));
  const std::string_view head = path.substr(0, dot);
  const Value* here = find(head);
  if (here == nullptr || here->table() == nullptr) set(head, Value(Table{}));
  find(head)->set_path(path.substr(dot + 1), std::move(value));
}

void Value::merge(const Value& other) {
  const Table* entries = other.table();
  if (entries == nullptr) return;
  for (const auto& [key, value] : *entries) {
    Value* mine = find(key);
    if (mine != nullptr && mine->table() != nullptr && value.table() != nullptr) {
      mine->merge(value);
    } else {
      set(key, value);
    }
  }
}

std::string Value::text() const {
  struct Print {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(Size v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return number_text(v); }
    std::string operator()(const std::string& v) const { return quoted(v); }
    std::string operator()(const List& v) const {
      std::string out;
      for (const Value& item : v) out += (out.empty() ? "" : ", ") + item.text();
      return "[" + out + "]";
    }
    std::string operator()(const Table& v) const {
      std::string out;
      for (const auto& [key, item] : v) out += (out.empty() ? "" : ", ") + quoted(key) + ": " + item.text();
      return "{" + out + "}";
    }
  };
  return std::visit(Print{}, data_);
}

}  // namespace tarn
