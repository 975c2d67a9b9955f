#include "tarn/datasets/mesh/text_lines.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

namespace tarn::detail {

namespace {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\v' || c == '\f' || c == '\r';
}

std::string_view without_plus(std::string_view word) {
  return word.size() > 1 && word[0] == '+' && word[1] != '-' ? word.substr(1) : word;
}

}  // namespace

void Words::skip_blanks() {
  while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
}

std::string_view Words::next() {
  skip_blanks();
  std::size_t length = 0;
  while (length < rest_.size() && !is_blank(rest_[length])) ++length;
  const std::string_view word = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return word;
}

bool Words::more() {
  skip_blanks();
  return !rest_.empty();
}

bool TextLines::next() {
  if (at_ >= text_.size()) return false;
  const std::size_t end = text_.find('\n', at_);
  line_ = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
  at_ = end == std::string_view::npos ? text_.size() : end + 1;
  if (line_.ends_with('\r')) line_.remove_suffix(1);
  ++number_;
  return true;
}

void TextLines::fail(std::string_view what) const {
  throw DataError(fmt::format("{}:{}: {}", name_, number_, what));
}

std::string shown(std::string_view word) {
  constexpr std::size_t longest = 40;
  std::string text(word.substr(0, longest));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return "'" + text + (word.size() > longest ? "...'" : "'");
}

std::optional<double> parse_real(std::string_view word) {
  const std::string_view digits = without_plus(word);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::invalid_argument || end != digits.data() + digits.size()) return {};
  if (error != std::errc::result_out_of_range) return value;
  // Which side it left shows in the wider range, or in the sign of an exponent beyond that one too.
  long double wide = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), wide).ec == std::errc()) {
    return std::abs(wide) < 1 ? 0.0 : std::numeric_limits<double>::infinity();
  }
  const bool tiny = digits.find("e-") != digits.npos || digits.find("E-") != digits.npos;
  return tiny ? 0.0 : std::numeric_limits<double>::infinity();
}

double TextLines::real(std::string_view word, std::string_view what) const {
  if (word.empty()) fail(fmt::format("the line ends before {}; expected a number", what));
  const std::optional<double> value = parse_real(word);
  if (!value) fail(fmt::format("{} is {}; expected a number", what, shown(word)));
  if (!std::isfinite(*value)) fail(fmt::format("{} is {}; expected a finite number", what, shown(word)));
  return *value;
}

Size TextLines::whole(std::string_view word, std::string_view what) const {
  if (word.empty()) fail(fmt::format("the line ends before {}; expected a whole number", what));
  const std::string_view digits = without_plus(word);
  Size value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range)
    fail(fmt::format("{} is {}; expected a smaller number", what, shown(word)));
  if (error != std::errc() || end != digits.data() + digits.size()) {
    fail(fmt::format("{} is {}; expected a whole number", what, shown(word)));
  }
  return value;
}

}  // namespace tarn::detail
