#include "tarn/experiments/json.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

using Json = nlohmann::ordered_json;

/// Builds a Value while nlohmann reads, so that the order of keys stays and a second key of one name shows.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, std::string where) : text_(text), where_(std::move(where)) {}

  bool null() override { return add({}); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(Size{v}); }
  bool number_unsigned(number_unsigned_t v) override {
    if (v > static_cast<number_unsigned_t>(INT64_MAX)) return add(static_cast<double>(v));
    return add(static_cast<Size>(v));
  }
  bool number_float(number_float_t v, const string_t&) override { return add(v); }
  bool string(string_t& v) override { return add(v); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Value::Table{}); }
  bool start_array(std::size_t) override { return open(Value::List{}); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    Open& top = open_.back();
    if (top.value.find(name) != nullptr) {
      throw DataError(
          fmt::format("{}: key \"{}\" stands twice in one object; expected each key once", where_, name));
    }
    top.key = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    const std::string_view before = text_.substr(0, std::min(position == 0 ? 0 : position - 1, text_.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const std::string what = error.what();
    const std::size_t colon = what.rfind("; expected ");
    const std::string expected = colon == std::string::npos ? "; expected JSON" : what.substr(colon);
    throw DataError(
        fmt::format("{}:{}:{}: not valid JSON{}", where_, line, before.size() - line_start + 1, expected));
  }

  Value result;

 private:
  struct Open {
    Value value;
    std::string key;
  };

  bool add(Value value) {
    value.set_where(where_);
    if (open_.empty()) {
      result = std::move(value);
    } else if (Open& top = open_.back(); Value::List* list = top.value.list()) {
      list->push_back(std::move(value));
    } else {
      top.value.set(top.key, std::move(value));
    }
    return true;
  }
  bool open(Value value) {
    open_.push_back({std::move(value), {}});
    return true;
  }
  bool close() {
    Value value = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(value));
  }

  std::string_view text_;
  std::string where_;
  std::vector<Open> open_;
};

Json to_nlohmann(const Value& value, NonFinite non_finite, const std::string& path) {
  if (const bool* b = value.boolean()) return *b;
  if (const Size* i = value.integer()) return *i;
  if (const std::optional<double> d = value.number()) {
    if (std::isfinite(*d)) return *d;
    if (non_finite == NonFinite::null) return nullptr;
    throw ValueError(fmt::format("JSON: {} is {}; expected a finite number",
                                 path.empty() ? "the value" : path, value.text()));
  }
  if (const std::string* s = value.string()) return *s;
  if (const Value::List* list = value.list()) {
    Json out = Json::array();
    for (const Value& item : *list)
      out.push_back(to_nlohmann(item, non_finite, fmt::format("{}[{}]", path, out.size())));
    return out;
  }
  if (const Value::Table* table = value.table()) {
    Json out = Json::object();
    for (const auto& [key, item] : *table) {
      out[key] = to_nlohmann(item, non_finite, path.empty() ? key : path + "." + key);
    }
    return out;
  }
  return nullptr;
}

}  // namespace

Value parse_json(std::string_view text, const std::string& where) {
  Builder builder(text, where);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return std::move(builder.result);
}

std::vector<Value> parse_json_lines(std::string_view text, const std::string& where) {
  std::vector<Value> result;
  Size number = 1;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    result.push_back(parse_json(text.substr(begin, end - begin), fmt::format("{}:{}", where, number++)));
  }
  return result;
}

std::string to_json(const Value& value, int indent, NonFinite non_finite) {
  return to_nlohmann(value, non_finite, "").dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tarn
