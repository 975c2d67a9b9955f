#include "tarn/datasets/graphs/number_lines.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace tarn::detail {

namespace {

constexpr std::size_t longest_quote = 40;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// A field as a message quotes it: printable, and not too long.
std::string quoted(std::string_view field) {
  while (!field.empty() && is_blank(field.back())) field.remove_suffix(1);
  std::string text(field.substr(0, longest_quote));
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return text + (field.size() > longest_quote ? "..." : "");
}

template <class T>
constexpr const char* expected_number() {
  return std::is_same_v<T, double> ? "a finite number" : "a whole number";
}

template <class T>
class LineParser {
 public:
  LineParser(std::string_view text, const std::string& where, const LineRule& rule)
      : where_(where), rule_(rule), at_(text.data()), end_(text.data() + text.size()) {
    while (end_ != at_ && (is_blank(end_[-1]) || end_[-1] == '\n')) --end_;
  }

  Columns<T> run() {
    if (rule_.rows > 0 && rule_.cols > 0)
      table_.values.reserve(static_cast<std::size_t>(rule_.rows * rule_.cols));
    table_.cols = std::max<Size>(rule_.cols, 0);
    while (at_ != end_) {
      ++line_;
      if (line_ == rule_.rows + 1 && rule_.rows >= 0) fail_beyond();
      read_line();
    }
    if (line_ < rule_.rows) {
      throw DataError(fmt::format("{}:{}: is the last line; expected {} lines, one for each {}", where_,
                                  line_, rule_.rows, rule_.each));
    }
    return std::move(table_);
  }

 private:
  void read_line() {
    Size fields = 0;
    skip_blanks();
    if (at_ != end_ && *at_ == '\n') {
      throw DataError(fmt::format("{}:{}: is empty; expected numbers, or no more lines", where_, line_));
    }
    for (;;) {
      table_.values.push_back(read_field(++fields));
      if (at_ == end_ || *at_++ == '\n') break;
      skip_blanks();
    }
    if (table_.cols == 0) table_.cols = fields;
    if (fields == table_.cols) return;
    throw DataError(fmt::format("{}:{}: has {} {}; expected {}{}", where_, line_, fields,
                                fields == 1 ? "field" : "fields", table_.cols,
                                rule_.cols < 0 ? ", as the first line" : ""));
  }

  /// Ends on the separator: a comma, a newline or the end.
  T read_field(Size field) {
    if (rule_.may_miss && (at_ == end_ || *at_ == ',' || *at_ == '\n')) {
      return std::numeric_limits<T>::quiet_NaN();
    }
    const char* const begin = at_;
    // from_chars takes no plus sign.
    if (at_ != end_ && *at_ == '+' && at_ + 1 != end_ && at_[1] != '-' && at_[1] != '+') ++at_;
    T value{};
    const auto [next, error] = std::from_chars(at_, end_, value);
    if (error == std::errc::result_out_of_range) value = out_of_range(begin, next, field);
    if (error == std::errc::invalid_argument) fail_field(begin, field, expected_number<T>());
    if constexpr (std::is_same_v<T, double>) {
      if (!std::isfinite(value)) fail_field(begin, field, expected_number<T>());
    }
    at_ = next;
    skip_blanks();
    if (at_ != end_ && *at_ != ',' && *at_ != '\n') fail_field(begin, field, expected_number<T>());
    return value;
  }

  /// A real number too small for a double is zero; anything else is refused.
  T out_of_range(const char* begin, const char* next, Size field) {
    if constexpr (std::is_same_v<T, double>) {
      const double value = std::strtod(std::string(begin, next).c_str(), nullptr);
      if (std::abs(value) < 1) return value;
      fail_field(begin, field, expected_number<T>());
    } else {
      fail_field(begin, field, "a whole number of at most 64 bits");
    }
  }

  void skip_blanks() {
    while (at_ != end_ && is_blank(*at_)) ++at_;
  }

  [[noreturn]] void fail_field(const char* begin, Size field, const char* expected) const {
    const char* const stop = std::find_if(begin, end_, [](char c) { return c == ',' || c == '\n'; });
    throw DataError(fmt::format("{}:{}: field {} is '{}'; expected {}", where_, line_, field,
                                quoted({begin, static_cast<std::size_t>(stop - begin)}), expected));
  }

  [[noreturn]] void fail_beyond() const {
    const char* const stop = std::find(at_, end_, '\n');
    throw DataError(fmt::format("{}:{}: '{}' is one line too many; expected {} lines, one for each {}",
                                where_, line_, quoted({at_, static_cast<std::size_t>(stop - at_)}),
                                rule_.rows, rule_.each));
  }

  const std::string& where_;
  const LineRule& rule_;
  const char* at_;
  const char* end_;
  Size line_ = 0;
  Columns<T> table_;
};

}  // namespace

Columns<std::int64_t> read_whole_numbers(std::string_view text, const std::string& where,
                                         const LineRule& rule) {
  return LineParser<std::int64_t>(text, where, rule).run();
}

Columns<double> read_real_numbers(std::string_view text, const std::string& where, const LineRule& rule) {
  return LineParser<double>(text, where, rule).run();
}

}  // namespace tarn::detail
