#include "tarn/experiments/table.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::string padded(const std::string& text, Size width, Align align) {
  const std::string space(static_cast<std::size_t>(std::max<Size>(0, width - text_width(text))), ' ');
  return align == Align::left ? text + space : space + text;
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

/// Lines of at most `width` code points, broken at spaces.
std::string wrapped(const std::string& text, Size width) {
  std::string out, line;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && text_width(line) + 1 + text_width(word) > width) {
      out += line + '\n';
      line.clear();
    }
    if (!line.empty()) line += ' ';
    line += word;
    begin = end + 1;
  }
  return out + line + '\n';
}

/// Markdown reads a bar as the end of a cell.
std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace

Table::Table(std::string title, std::vector<Column> columns)
    : title_(std::move(title)), columns_(std::move(columns)) {}

void Table::add_row(std::vector<Cell> cells) {
  if (cells.size() != columns_.size()) {
    throw ShapeError(fmt::format("table '{}': got a row of {} cells; expected {}, one per column", title_,
                                 cells.size(), columns_.size()));
  }
  rows_.push_back(std::move(cells));
}

void Table::add_rule() {
  if (!rows_.empty() && (rules_.empty() || rules_.back() != rows_.size())) rules_.push_back(rows_.size());
}

void Table::add_note(std::string note) {
  if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(std::move(note));
}

std::string Table::text() const {
  std::vector<Size> widths;
  Size total = 2 * (static_cast<Size>(columns_.size()) - 1);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Size width = text_width(columns_[c].title);
    for (const auto& row : rows_) width = std::max(width, text_width(row[c].text));
    widths.push_back(width);
    total += width;
  }
  std::string rule;
  for (Size i = 0; i < total; ++i) rule += "─";
  rule += '\n';

  std::string out = title_.empty() ? "" : title_ + '\n';
  std::string line;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (c > 0) line += "  ";
    line += padded(columns_[c].title, widths[c], columns_[c].align);
  }
  out += rule + trimmed(line) + '\n' + rule;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (std::binary_search(rules_.begin(), rules_.end(), r)) out += rule;
    line.clear();
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (c > 0) line += "  ";
      line += padded(rows_[r][c].text, widths[c], columns_[c].align);
    }
    out += trimmed(line) + '\n';
  }
  out += rule;
  for (const std::string& note : notes_) out += wrapped(note, 100);
  return out;
}

std::string Table::markdown() const {
  std::string out = title_.empty() ? "" : fmt::format("**{}**\n\n", title_);
  std::string heads = "|", rule = "|";
  for (const Column& column : columns_) {
    heads += ' ' + markdown_cell(column.title) + " |";
    rule += column.align == Align::left ? " :--- |" : " ---: |";
  }
  out += heads + '\n' + rule + '\n';
  for (const auto& row : rows_) {
    out += '|';
    for (const Cell& cell : row) {
      const std::string mark = cell.strong && !cell.text.empty() ? "**" : "";
      out += ' ' + mark + markdown_cell(cell.text) + mark + " |";
    }
    out += '\n';
  }
  for (const std::string& note : notes_) out += '\n' + note + '\n';
  return out;
}

std::string Table::html() const {
  const auto side = [](Align align) { return align == Align::left ? " class=\"left\"" : ""; };
  std::string out = "<table>\n";
  if (!title_.empty()) out += fmt::format("<caption>{}</caption>\n", escape_markup(title_));
  out += "<thead><tr>";
  for (const Column& column : columns_) {
    out += fmt::format("<th{}>{}</th>", side(column.align), escape_markup(column.title));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    out += std::binary_search(rules_.begin(), rules_.end(), r) ? "<tr class=\"rule\">" : "<tr>";
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Cell& cell = rows_[r][c];
      const std::string text = escape_markup(cell.text);
      out += fmt::format("<td{}>{}</td>", side(columns_[c].align),
                         cell.strong ? "<strong>" + text + "</strong>" : text);
    }
    out += "</tr>\n";
  }
  out += "</tbody>\n</table>\n";
  for (const std::string& note : notes_)
    out += fmt::format("<p class=\"note\">{}</p>\n", escape_markup(note));
  return out;
}

std::string Table::csv() const {
  std::string out;
  for (std::size_t c = 0; c < columns_.size(); ++c)
    out += fmt::format("{}{}", c > 0 ? "," : "", csv_field(columns_[c].title));
  out += "\n";
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c)
      out += fmt::format("{}{}", c > 0 ? "," : "", csv_field(row[c].text));
    out += "\n";
  }
  return out;
}

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' ? ' ' : c;
    }
  }
  return out;
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\n\r") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string format_fixed(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  // No minus before a number that rounds to zero.
  return text.find_first_not_of("-0.") == std::string::npos && text.front() == '-' ? text.substr(1) : text;
}

std::string format_number(double value) {
  if (!std::isfinite(value)) return "-";
  if (std::abs(value) >= 1000 && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string format_interval(double mean, const std::optional<Interval>& interval, double scale,
                            int decimals) {
  std::string text = format_fixed(mean * scale, decimals);
  if (interval) text += " ± " + format_fixed((interval->high - interval->low) / 2 * scale, decimals);
  return text;
}

std::string format_p(std::optional<double> p) {
  if (!p || std::isnan(*p)) return "-";
  if (*p < 0.001) return "< 0.001";
  return *p >= 0.9995 ? "1" : fmt::format("{:.2g}", *p);
}

Size text_width(std::string_view utf8) {
  return std::count_if(utf8.begin(), utf8.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

}  // namespace tarn
