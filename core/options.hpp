#pragma once

#include "tarn/core/value.hpp"

#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tarn {

/// Which numbers an option takes.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
  [[nodiscard]] bool contains(double v) const;
  /// "a number in [0, 1)", "a number of at least 1", "a finite number"
  [[nodiscard]] std::string text(bool whole) const;
};
[[nodiscard]] constexpr Bounds at_least(double low) {
  return {.low = low};
}
[[nodiscard]] constexpr Bounds above(double low) {
  return {.low = low, .low_open = true};
}
[[nodiscard]] constexpr Bounds between(double low, double high) {
  return {.low = low, .high = high};
}
/// [low, high)
[[nodiscard]] constexpr Bounds in_range(double low, double high) {
  return {.low = low, .high = high, .high_open = true};
}
[[nodiscard]] constexpr Bounds any_finite() {
  return {};
}

/// One option of an operator, seen from outside: how it is called, what it holds, what may be put there.
struct Field {
  std::string_view name;
  std::string_view help;
  std::string type;      ///< "int", "double", "bool", "string", "list", ...
  std::string expected;  ///< "a whole number of at least 1", "one of cat, max, mean, last"
  std::function<Value()> get;
  /// Takes over a value; false if it is not what is expected.
  std::function<bool(const Value&)> set;
};

/// Names of an enumeration's values in their order, found by argument-dependent lookup:
/// `inline std::span<const std::string_view> enum_names(Jk);`
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires(E e) {
  enum_names(e);
};

/// A whole number for all, or a list with one for each.
struct OneOrEach {
  std::vector<Size> values;
  bool each = false;
  OneOrEach() = default;
  OneOrEach(Size all) : values{all} {}  // NOLINT(google-explicit-constructor)
  OneOrEach(std::vector<Size> list)
      : values(std::move(list)), each(true) {}  // NOLINT(google-explicit-constructor)
};

/// Receives the fields of an options struct. A struct lists them once, in
/// `void fields(Fields& f) { f("tau", tau, any_finite(), "edge where the cosine exceeds this"); }`.
class Fields {
 public:
  virtual ~Fields() = default;

  void operator()(std::string_view name, bool& v, std::string_view help);
  void operator()(std::string_view name, Size& v, Bounds bounds, std::string_view help);
  void operator()(std::string_view name, double& v, Bounds bounds, std::string_view help);
  /// null means "not set".
  void operator()(std::string_view name, std::optional<Size>& v, Bounds bounds, std::string_view help);
  void operator()(std::string_view name, std::optional<double>& v, Bounds bounds, std::string_view help);
  void operator()(std::string_view name, std::optional<bool>& v, std::string_view help);
  void operator()(std::string_view name, std::vector<Size>& v, Bounds each, std::string_view help);
  void operator()(std::string_view name, std::optional<std::vector<Size>>& v, Bounds each,
                  std::string_view help);
  void operator()(std::string_view name, OneOrEach& v, Bounds each, std::string_view help);
  void operator()(std::string_view name, std::vector<double>& v, Bounds each, std::string_view help);
  /// Entries may be null; "none" says so where a file has no null.
  void operator()(std::string_view name, std::vector<std::optional<double>>& v, Bounds each,
                  std::string_view help);
  void operator()(std::string_view name, std::vector<std::string>& v, std::string_view help);
  /// A number, or one of `words`.
  void operator()(std::string_view name, Value& v, std::vector<std::string> words, std::string_view help);
  /// A table for somebody else to read; null: empty.
  void operator()(std::string_view name, Value& v, std::string_view help);
  /// A list of such tables.
  void operator()(std::string_view name, std::vector<Value>& v, std::string_view help);
  /// Any text, or with `choices` one of them.
  void operator()(std::string_view name, std::string& v, std::string_view help);
  void operator()(std::string_view name, std::string& v, std::vector<std::string> choices,
                  std::string_view help);
  template <NamedEnum E>
  void operator()(std::string_view name, E& v, std::string_view help) {
    const auto names = enum_names(v);
    choice(
        name, {names.begin(), names.end()}, [&v]() { return static_cast<std::size_t>(v); },
        [&v](std::size_t i) { v = static_cast<E>(i); }, help);
  }

 protected:
  virtual void visit(Field field) = 0;

 private:
  void choice(std::string_view name, std::vector<std::string> names, std::function<std::size_t()> get,
              std::function<void(std::size_t)> set, std::string_view help);
};

template <class Options>
concept DescribedOptions = std::is_default_constructible_v<Options> && requires(Options o, Fields& f) {
  o.fields(f);
};

/// What `tarn describe` prints of one option.
struct FieldDescription {
  std::string name;
  std::string type;
  Value default_value;
  std::string expected;
  std::string help;
};

namespace detail {
/// Sets the fields that `list_fields` shows from a table. Throws ConfigError for unknown keys and bad values.
void read_fields(const Value& table, std::string_view owner, const std::function<void(Fields&)>& list_fields);
[[nodiscard]] std::vector<FieldDescription> describe_fields(const std::function<void(Fields&)>& list_fields);
[[nodiscard]] Value write_fields(const std::function<void(Fields&)>& list_fields);
}  // namespace detail

/// Options with the values of a table laid over their defaults. `owner` is the operator's name, for messages:
/// `glot.dropout: got 1.7; expected a number in [0, 1)`, preceded by the place in a file where there is one.
template <DescribedOptions Options>
[[nodiscard]] Options read_options(const Value& table, std::string_view owner) {
  Options options;
  detail::read_fields(table, owner, [&](Fields& f) { options.fields(f); });
  return options;
}

/// The whole struct as a table, defaults included.
template <DescribedOptions Options>
[[nodiscard]] Value write_options(Options options) {
  return detail::write_fields([&](Fields& f) { options.fields(f); });
}

template <DescribedOptions Options>
[[nodiscard]] std::vector<FieldDescription> describe_options() {
  Options options;
  return detail::describe_fields([&](Fields& f) { options.fields(f); });
}

/// Checks an options struct that was filled in C++: throws ValueError, naming owner, option, value and range.
template <DescribedOptions Options>
void check_options(Options options, std::string_view owner);

namespace detail {
void check_fields(std::string_view owner, const std::function<void(Fields&)>& list_fields);
}

template <DescribedOptions Options>
void check_options(Options options, std::string_view owner) {
  detail::check_fields(owner, [&](Fields& f) { options.fields(f); });
}

}  // namespace tarn
