#include "tarn/core/errors.hpp"
#include "tarn/experiments/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

const Value& part(const Value& table, const char* name, const std::string& where) {
  const Value* value = table.find(name);
  if (value == nullptr) throw DataError(fmt::format("{}: a table has no '{}'; expected one", where, name));
  return *value;
}

const Value::List& list(const Value& value, const std::string& where) {
  if (value.list() != nullptr) return *value.list();
  throw DataError(fmt::format("{}: a table holds {}; expected a list", where, value.text()));
}

const std::string& text_of(const Value& value, const std::string& where) {
  if (value.string() != nullptr) return *value.string();
  throw DataError(fmt::format("{}: a table holds {}; expected text", where, value.text()));
}

std::size_t index(const Value& value, std::size_t count, const std::string& where) {
  const Size* number = value.integer();
  if (number != nullptr && *number >= 0 && *number < static_cast<Size>(count))
    return static_cast<std::size_t>(*number);
  throw DataError(
      fmt::format("{}: a table holds {}; expected a number below {}", where, value.text(), count));
}

}  // namespace

Value Table::value() const {
  Value::List columns, rows, strong, rules(rules_.size());
  for (const Column& column : columns_) {
    Value entry;
    entry.set("title", column.title);
    entry.set("align", column.align == Align::left ? "left" : "right");
    columns.push_back(std::move(entry));
  }
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    Value::List cells;
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      cells.emplace_back(rows_[r][c].text);
      if (rows_[r][c].strong) strong.emplace_back(Value::List{static_cast<Size>(r), static_cast<Size>(c)});
    }
    rows.emplace_back(std::move(cells));
  }
  std::transform(rules_.begin(), rules_.end(), rules.begin(),
                 [](std::size_t r) { return static_cast<Size>(r); });
  Value result;
  result.set("title", title_);
  result.set("columns", std::move(columns));
  result.set("rows", std::move(rows));
  result.set("strong", std::move(strong));
  result.set("rules", std::move(rules));
  result.set("notes", Value::List(notes_.begin(), notes_.end()));
  return result;
}

Table Table::read(const Value& value, const std::string& where) {
  std::vector<Column> columns;
  for (const Value& column : list(part(value, "columns", where), where)) {
    const bool left = text_of(part(column, "align", where), where) == "left";
    columns.push_back({text_of(part(column, "title", where), where), left ? Align::left : Align::right});
  }
  Table table(text_of(part(value, "title", where), where), std::move(columns));
  for (const Value& row : list(part(value, "rows", where), where)) {
    std::vector<Cell> cells;
    for (const Value& cell : list(row, where)) cells.emplace_back(text_of(cell, where));
    table.add_row(std::move(cells));
  }
  for (const Value& place : list(part(value, "strong", where), where)) {
    const Value::List& at = list(place, where);
    if (at.size() != 2)
      throw DataError(fmt::format("{}: a table marks {}; expected row and column", where, place.text()));
    std::vector<Cell>& row = table.rows_[index(at[0], table.rows_.size(), where)];
    row[index(at[1], row.size(), where)].strong = true;
  }
  for (const Value& row : list(part(value, "rules", where), where)) {
    table.rules_.push_back(index(row, table.rows_.size() + 1, where));
  }
  for (const Value& note : list(part(value, "notes", where), where)) table.add_note(text_of(note, where));
  return table;
}

}  // namespace tarn
