#pragma once

#include "tarn/core/options.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tarn {

/// What the catalogue says of an operator beside its options.
struct OperatorDocs {
  std::string summary;  ///< the formula, or one phrase
  std::string source;   ///< authors, year, title, arXiv number; "" for plain ones
};

namespace detail {
[[noreturn]] void throw_unknown_operator(std::string_view family, std::string_view name,
                                         const std::vector<std::string>& known);
[[noreturn]] void throw_duplicate_operator(std::string_view family, std::string_view name);
}  // namespace detail

/// Name -> factory of one family of operators. Filled once by the family's `builtin.cpp`, and by a program
/// that brings operators of its own before it calls `tarn::run_program`; read only from then on.
template <class Family>
class Registry {
 public:
  struct Entry {
    std::string name;
    OperatorDocs docs;
    std::function<std::unique_ptr<Family>(const Value& options)> make;
    std::function<std::vector<FieldDescription>()> describe;
    /// The options with all defaults filled in.
    std::function<Value(const Value& options)> resolve;
    /// True if the options struct has a field of this name.
    [[nodiscard]] bool has_option(std::string_view option) const {
      for (const FieldDescription& f : describe()) {
        if (f.name == option) return true;
      }
      return false;
    }
  };

  explicit Registry(std::string family) : family_(std::move(family)) {}

  /// Op has a nested `Options` and is constructed from it.
  template <class Op>
  void add(std::string name, OperatorDocs docs) {
    using Options = typename Op::Options;
    if (find(name) != nullptr) detail::throw_duplicate_operator(family_, name);
    entries_.push_back(
        {name, std::move(docs),
         [name](const Value& options) -> std::unique_ptr<Family> {
           return std::make_unique<Op>(read_options<Options>(options, name));
         },
         [] { return describe_options<Options>(); },
         [name](const Value& options) { return write_options(read_options<Options>(options, name)); }});
  }

  [[nodiscard]] const std::string& family() const { return family_; }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const Entry& e : entries_) result.push_back(e.name);
    return result;
  }
  [[nodiscard]] const Entry* find(std::string_view name) const {
    for (const Entry& e : entries_) {
      if (e.name == name) return &e;
    }
    return nullptr;
  }
  /// Throws ConfigError with a suggestion.
  [[nodiscard]] const Entry& at(std::string_view name) const {
    const Entry* entry = find(name);
    if (entry == nullptr) detail::throw_unknown_operator(family_, name, names());
    return *entry;
  }
  [[nodiscard]] std::unique_ptr<Family> make(std::string_view name, const Value& options = {}) const {
    return at(name).make(options);
  }

 private:
  std::string family_;
  std::vector<Entry> entries_;
};

}  // namespace tarn
