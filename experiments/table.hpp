#pragma once

#include "tarn/core/value.hpp"
#include "tarn/experiments/statistics.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::right;
};

struct Cell {
  std::string text;
  bool strong = false;

  Cell() = default;
  Cell(std::string t) : text(std::move(t)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* t) : text(t) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string t, bool is_strong) : text(std::move(t)), strong(is_strong) {}
};

/// A table of text, printed for the terminal, for Markdown, HTML and CSV. Widths count UTF-8 code points.
class Table {
 public:
  Table(std::string title, std::vector<Column> columns);

  /// Throws ShapeError if there is not one cell per column.
  void add_row(std::vector<Cell> cells);
  /// A line between the rows so far and those to come.
  void add_rule();
  /// A sentence printed under the table; each once.
  void add_note(std::string note);

  [[nodiscard]] const std::string& title() const { return title_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
  [[nodiscard]] Size num_rows() const { return static_cast<Size>(rows_.size()); }

  /// Aligned columns between rules, the title above, the notes below.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string markdown() const;
  /// `<table>` with a caption, and the notes as paragraphs.
  [[nodiscard]] std::string html() const;
  /// RFC 4180 with a line of titles; no notes.
  [[nodiscard]] std::string csv() const;

  /// {"title", "columns": [{"title", "align"}], "rows": [[text, ...]], "strong": [[row, column], ...],
  /// "rules": [row, ...], "notes"}, as tables.json holds it.
  [[nodiscard]] Value value() const;
  /// Throws DataError, naming `where`, for anything that `value` does not give.
  [[nodiscard]] static Table read(const Value& value, const std::string& where);

 private:
  std::string title_;
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::size_t> rules_;  ///< rows before which a rule stands
  std::vector<std::string> notes_;
};

// === How numbers are written

/// Text with &, <, > and quotes as entities, for HTML and SVG. Control characters become spaces.
[[nodiscard]] std::string escape_markup(std::string_view text);
/// A CSV field, in quotes where it needs them.
[[nodiscard]] std::string csv_field(std::string_view text);
/// At most `decimals` digits after the point, "-" for NaN or infinity.
[[nodiscard]] std::string format_fixed(double value, int decimals);
/// Four significant digits, without an exponent where that is shorter: 12345, 0.5, 1.2e-05.
[[nodiscard]] std::string format_number(double value);
/// "98.4 ± 0.6": mean and half the interval, times `scale`; the mean alone where there is no interval.
[[nodiscard]] std::string format_interval(double mean, const std::optional<Interval>& interval,
                                          double scale = 100, int decimals = 1);
/// "0.013", "< 0.001", "1"; "-" if undefined.
[[nodiscard]] std::string format_p(std::optional<double> p);
/// Number of code points.
[[nodiscard]] Size text_width(std::string_view utf8);

}  // namespace tarn
