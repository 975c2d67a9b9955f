#pragma once

#include "tarn/core/real.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tarn {

/// A configuration value as TOML, JSON and the command line know them, with the place it came from.
class Value {
 public:
  using List = std::vector<Value>;
  /// Keys in the order in which they were given; unique.
  using Table = std::vector<std::pair<std::string, Value>>;

  Value() = default;                               ///< null
  Value(bool v) : data_(v) {}                      // NOLINT(google-explicit-constructor)
  Value(int v) : data_(Size{v}) {}                 // NOLINT(google-explicit-constructor)
  Value(Size v) : data_(v) {}                      // NOLINT(google-explicit-constructor)
  Value(double v) : data_(v) {}                    // NOLINT(google-explicit-constructor)
  Value(const char* v) : data_(std::string(v)) {}  // NOLINT(google-explicit-constructor)
  Value(std::string v) : data_(std::move(v)) {}    // NOLINT(google-explicit-constructor)
  Value(List v) : data_(std::move(v)) {}           // NOLINT(google-explicit-constructor)
  Value(Table v) : data_(std::move(v)) {}          // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool is_null() const { return data_.index() == 0; }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const Size* integer() const { return std::get_if<Size>(&data_); }
  /// An integer reads as a number too.
  [[nodiscard]] std::optional<double> number() const;
  [[nodiscard]] const std::string* string() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const List* list() const { return std::get_if<List>(&data_); }
  [[nodiscard]] List* list() { return std::get_if<List>(&data_); }
  [[nodiscard]] const Table* table() const { return std::get_if<Table>(&data_); }
  [[nodiscard]] Table* table() { return std::get_if<Table>(&data_); }

  /// The entry of a table, or null pointer when this is no table or has no such key.
  [[nodiscard]] const Value* find(std::string_view key) const;
  [[nodiscard]] Value* find(std::string_view key);
  /// Sets an entry, turning a null into a table first; keeps the place of an existing key.
  void set(std::string_view key, Value value);
  /// find and set by dotted path: `data.store`, `glot.tau`.
  [[nodiscard]] const Value* find_path(std::string_view path) const;
  void set_path(std::string_view path, Value value);
  /// Lays the entries of `other` over this table, tables inside tables included.
  void merge(const Value& other);

  /// As TOML or JSON would print it on one line: 0.5, "cat", [1, 2]. A double always reads back as the same
  /// double.
  [[nodiscard]] std::string text() const;

  /// "train.toml:14:3", "command line", or "".
  [[nodiscard]] const std::string& where() const { return where_; }
  void set_where(std::string where) { where_ = std::move(where); }

  friend bool operator==(const Value& a, const Value& b) { return a.data_ == b.data_; }

 private:
  std::variant<std::monostate, bool, Size, double, std::string, List, Table> data_;
  std::string where_;
};

}  // namespace tarn
