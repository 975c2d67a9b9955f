#include "tarn/core/options.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::string bound_text(double v) {
  return fmt::format("{}", v);
}

template <class T>
Value list_value(const std::vector<T>& v) {
  return Value::List(v.begin(), v.end());
}

/// Reads every item with `read`, which gives an optional; nothing is changed if one fails.
template <class T, class Read>
bool set_list(std::vector<T>& target, const Value& value, Read read) {
  const Value::List* items = value.list();
  if (items == nullptr) return false;
  std::vector<T> result;
  for (const Value& item : *items) {
    const std::optional<T> one = read(item);
    if (!one) return false;
    result.push_back(*one);
  }
  target = std::move(result);
  return true;
}

std::optional<Size> read_whole(const Value& value, Bounds bounds) {
  const Size* i = value.integer();
  if (i == nullptr || !bounds.contains(static_cast<double>(*i))) return std::nullopt;
  return *i;
}

std::optional<double> read_number(const Value& value, Bounds bounds) {
  const std::optional<double> d = value.number();
  return d && bounds.contains(*d) ? d : std::nullopt;
}

template <class T>
bool assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
  return value.has_value();
}

std::string place(const Value& value) {
  return value.where().empty() ? "" : value.where() + ": ";
}

class Collector final : public Fields {
 public:
  std::vector<Field> fields;

 protected:
  void visit(Field field) override { fields.push_back(std::move(field)); }
};

std::vector<Field> collect(const std::function<void(Fields&)>& list_fields) {
  Collector collector;
  list_fields(collector);
  return std::move(collector.fields);
}

}  // namespace

bool Bounds::contains(double v) const {
  return std::isfinite(v) && (low_open ? v > low : v >= low) && (high_open ? v < high : v <= high);
}

std::string Bounds::text(bool whole) const {
  const std::string kind = whole ? "a whole number" : "a number";
  if (std::isfinite(low) && std::isfinite(high)) {
    return fmt::format("{} in {}{}, {}{}", kind, low_open ? '(' : '[', bound_text(low), bound_text(high),
                       high_open ? ')' : ']');
  }
  if (std::isfinite(low))
    return fmt::format("{} {} {}", kind, low_open ? "above" : "of at least", bound_text(low));
  if (std::isfinite(high))
    return fmt::format("{} {} {}", kind, high_open ? "below" : "of at most", bound_text(high));
  return whole ? "a whole number" : "a finite number";
}

void Fields::operator()(std::string_view name, bool& v, std::string_view help) {
  visit({name, help, "bool", "true or false", [&v] { return Value(v); },
         [&v](const Value& in) {
           if (in.boolean() != nullptr) v = *in.boolean();
           return in.boolean() != nullptr;
         }});
}

void Fields::operator()(std::string_view name, Size& v, Bounds bounds, std::string_view help) {
  visit({name, help, "int", bounds.text(true), [&v] { return Value(v); },
         [&v, bounds](const Value& in) { return assign(v, read_whole(in, bounds)); }});
}

void Fields::operator()(std::string_view name, double& v, Bounds bounds, std::string_view help) {
  visit({name, help, "double", bounds.text(false), [&v] { return Value(v); },
         [&v, bounds](const Value& in) { return assign(v, read_number(in, bounds)); }});
}

namespace {
template <class T, class Read>
Field optional_field(std::string_view name, std::string_view help, std::string type, std::string expected,
                     std::optional<T>& v, Read read) {
  return {name,
          help,
          std::move(type),
          expected + " or null",
          [&v] { return v ? Value(*v) : Value(); },
          [&v, read](const Value& in) {
            if (in.is_null()) {
              v.reset();
              return true;
            }
            const std::optional<T> one = read(in);
            if (one) v = *one;
            return one.has_value();
          }};
}
}  // namespace

void Fields::operator()(std::string_view name, std::optional<Size>& v, Bounds bounds, std::string_view help) {
  visit(optional_field(name, help, "int", bounds.text(true), v,
                       [bounds](const Value& in) { return read_whole(in, bounds); }));
}

void Fields::operator()(std::string_view name, std::optional<double>& v, Bounds bounds,
                        std::string_view help) {
  visit(optional_field(name, help, "double", bounds.text(false), v,
                       [bounds](const Value& in) { return read_number(in, bounds); }));
}

void Fields::operator()(std::string_view name, std::optional<bool>& v, std::string_view help) {
  visit(optional_field(name, help, "bool", "true, false", v, [](const Value& in) {
    return in.boolean() != nullptr ? std::optional<bool>(*in.boolean()) : std::nullopt;
  }));
}

void Fields::operator()(std::string_view name, std::vector<Size>& v, Bounds each, std::string_view help) {
  visit({name, help, "list of int", "a list, each " + each.text(true), [&v] { return list_value(v); },
         [&v, each](const Value& in) {
           return set_list(v, in, [each](const Value& item) { return read_whole(item, each); });
         }});
}

void Fields::operator()(std::string_view name, std::optional<std::vector<Size>>& v, Bounds each,
                        std::string_view help) {
  visit({name, help, "list of int", "a list, each " + each.text(true) + ", or null",
         [&v] { return v ? list_value(*v) : Value(); },
         [&v, each](const Value& in) {
           if (in.is_null()) {
             v.reset();
             return true;
           }
           std::vector<Size> items;
           if (!set_list(items, in, [each](const Value& item) { return read_whole(item, each); }))
             return false;
           v = std::move(items);
           return true;
         }});
}

void Fields::operator()(std::string_view name, OneOrEach& v, Bounds each, std::string_view help) {
  const auto read = [each](const Value& item) { return read_whole(item, each); };
  visit({name, help, "int or list of int", each.text(true) + ", or a list of such",
         [&v] {
           return v.each ? list_value(v.values) : v.values.empty() ? Value() : Value(v.values.front());
         },
         [&v, read](const Value& in) {
           if (const std::optional<Size> all = read(in)) {
             v = *all;
             return true;
           }
           std::vector<Size> list;
           if (!set_list(list, in, read)) return false;
           v = std::move(list);
           return true;
         }});
}

void Fields::operator()(std::string_view name, std::vector<double>& v, Bounds each, std::string_view help) {
  visit({name, help, "list of double", "a list, each " + each.text(false), [&v] { return list_value(v); },
         [&v, each](const Value& in) {
           if (const auto one = read_number(in, each)) {
             v = {*one};
             return true;
           }
           return set_list(v, in, [each](const Value& item) { return read_number(item, each); });
         }});
}

void Fields::operator()(std::string_view name, std::vector<std::optional<double>>& v, Bounds each,
                        std::string_view help) {
  const auto get = [&v] {
    Value::List items;
    for (const std::optional<double>& item : v) items.push_back(item ? Value(*item) : Value("none"));
    return Value(std::move(items));
  };
  using Entry = std::optional<double>;
  const auto read = [each](const Value& item) {
    const bool none = item.is_null() || (item.string() != nullptr && *item.string() == "none");
    if (none) return std::optional<Entry>(Entry());
    const Entry number = read_number(item, each);
    return number ? std::optional<Entry>(number) : std::nullopt;
  };
  visit({name, help, "list of double", "a list, each " + each.text(false) + " or \"none\"", get,
         [&v, read](const Value& in) { return set_list(v, in, read); }});
}

void Fields::operator()(std::string_view name, std::vector<std::string>& v, std::string_view help) {
  visit({name, help, "list of string", "a list of strings", [&v] { return list_value(v); },
         [&v](const Value& in) {
           return set_list(v, in, [](const Value& item) {
             return item.string() != nullptr ? std::optional<std::string>(*item.string()) : std::nullopt;
           });
         }});
}

void Fields::operator()(std::string_view name, Value& v, std::vector<std::string> words,
                        std::string_view help) {
  const std::string expected = fmt::format("a number or one of {}", fmt::join(words, ", "));
  visit({name, help, "number or string", expected, [&v] { return v; },
         [&v, words = std::move(words)](const Value& in) {
           const std::string* text = in.string();
           const bool known = text != nullptr && std::find(words.begin(), words.end(), *text) != words.end();
           if (!known && !read_number(in, any_finite())) return false;
           v = in;
           return true;
         }});
}

void Fields::operator()(std::string_view name, Value& v, std::string_view help) {
  visit({name, help, "table", "a table of options, or null", [&v] { return v; },
         [&v](const Value& in) {
           if (!in.is_null() && in.table() == nullptr) return false;
           v = in;
           return true;
         }});
}

void Fields::operator()(std::string_view name, std::vector<Value>& v, std::string_view help) {
  visit({name, help, "list of tables", "a list of tables or names", [&v] { return list_value(v); },
         [&v](const Value& in) {
           return set_list(v, in, [](const Value& item) {
             const bool fits = item.table() != nullptr || item.string() != nullptr;
             return fits ? std::optional<Value>(item) : std::nullopt;
           });
         }});
}

void Fields::operator()(std::string_view name, std::string& v, std::string_view help) {
  (*this)(name, v, std::vector<std::string>{}, help);
}

void Fields::operator()(std::string_view name, std::string& v, std::vector<std::string> choices,
                        std::string_view help) {
  const std::string expected =
      choices.empty() ? "a string" : fmt::format("one of {}", fmt::join(choices, ", "));
  visit({name, help, "string", expected, [&v] { return Value(v); },
         [&v, choices = std::move(choices)](const Value& in) {
           const std::string* text = in.string();
           if (text == nullptr) return false;
           if (!choices.empty() && std::find(choices.begin(), choices.end(), *text) == choices.end())
             return false;
           v = *text;
           return true;
         }});
}

void Fields::choice(std::string_view name, std::vector<std::string> names, std::function<std::size_t()> get,
                    std::function<void(std::size_t)> set, std::string_view help) {
  visit({name, help, "string", fmt::format("one of {}", fmt::join(names, ", ")),
         [names, get = std::move(get)] { return Value(names.at(get())); },
         [names, set = std::move(set)](const Value& in) {
           const std::string* text = in.string();
           if (text == nullptr) return false;
           const auto it = std::find(names.begin(), names.end(), *text);
           if (it == names.end()) return false;
           set(static_cast<std::size_t>(it - names.begin()));
           return true;
         }});
}

namespace detail {

void read_fields(const Value& table, std::string_view owner,
                 const std::function<void(Fields&)>& list_fields) {
  if (table.is_null()) return;
  if (table.table() == nullptr) {
    throw ConfigError(
        fmt::format("{}{}: got {}; expected a table of options", place(table), owner, table.text()));
  }
  const std::vector<Field> fields = collect(list_fields);
  for (const auto& [key, value] : *table.table()) {
    const auto it =
        std::find_if(fields.begin(), fields.end(), [&key = key](const Field& f) { return f.name == key; });
    if (it == fields.end()) {
      std::vector<std::string> known;
      for (const Field& f : fields) known.emplace_back(f.name);
      throw ConfigError(
          fmt::format("{}unknown option '{}' for {}{}", place(value), key, owner, suggestion(key, known)));
    }
    if (!it->set(value)) {
      throw ConfigError(
          fmt::format("{}{}.{}: got {}; expected {}", place(value), owner, key, value.text(), it->expected));
    }
  }
}

std::vector<FieldDescription> describe_fields(const std::function<void(Fields&)>& list_fields) {
  std::vector<FieldDescription> result;
  for (const Field& f : collect(list_fields)) {
    result.push_back({std::string(f.name), f.type, f.get(), f.expected, std::string(f.help)});
  }
  return result;
}

Value write_fields(const std::function<void(Fields&)>& list_fields) {
  Value result{Value::Table{}};
  for (const Field& f : collect(list_fields)) result.set(f.name, f.get());
  return result;
}

void check_fields(std::string_view owner, const std::function<void(Fields&)>& list_fields) {
  for (const Field& f : collect(list_fields)) {
    const Value value = f.get();
    if (!f.set(value)) {
      throw ValueError(fmt::format("{}.{}: got {}; expected {}", owner, f.name, value.text(), f.expected));
    }
  }
}

}  // namespace detail
}  // namespace tarn
