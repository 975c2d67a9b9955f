#pragma once

#include "tarn/core/real.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Reading text formats from memory, with the place for every message.
namespace tarn::detail {

/// Splits a line into words at blanks.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  /// The next word; empty at the end.
  [[nodiscard]] std::string_view next();
  /// True if another word follows.
  [[nodiscard]] bool more();

 private:
  void skip_blanks();
  std::string_view rest_;
};

/// Walks over the lines of a text. LF and CRLF end a line, the end of the text does too.
class TextLines {
 public:
  TextLines(std::string_view text, std::string_view name) : text_(text), name_(name) {}

  /// Moves to the next line; false at the end of the text.
  bool next();
  /// The line without its end.
  [[nodiscard]] std::string_view line() const { return line_; }
  /// From 1.
  [[nodiscard]] Size number() const { return number_; }
  /// Bytes after this line.
  [[nodiscard]] Size remaining() const { return static_cast<Size>(text_.size() - at_); }
  /// Where the next line begins.
  [[nodiscard]] std::size_t position() const { return at_; }

  /// "FILE:LINE: WHAT"
  [[noreturn]] void fail(std::string_view what) const;
  /// A finite number in decimal. Fails for anything else, naming the word; `what` says what it should be.
  [[nodiscard]] double real(std::string_view word, std::string_view what) const;
  /// A whole number. Fails for anything else, too large ones included.
  [[nodiscard]] Size whole(std::string_view word, std::string_view what) const;

 private:
  std::string_view text_;
  std::string_view name_;
  std::string_view line_;
  std::size_t at_ = 0;
  Size number_ = 0;
};

/// A word as a message shows it: quoted, cut where it is long, other bytes than printable ones as "?".
[[nodiscard]] std::string shown(std::string_view word);

/// A decimal number, infinities and NaN included; nothing if the word is no number. A number too small for a
/// double is 0, one too large infinite.
[[nodiscard]] std::optional<double> parse_real(std::string_view word);

}  // namespace tarn::detail
