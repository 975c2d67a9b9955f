#include "tarn/core/errors.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::verbs {

namespace {

/// Two lines for each option: name, default and what it takes; its meaning.
std::string option_lines(const std::vector<FieldDescription>& options) {
  if (options.empty()) return "no options";
  std::size_t name = 6, value = 7;
  for (const FieldDescription& option : options) {
    name = std::max(name, option.name.size());
    value = std::max(value, option.default_value.text().size());
  }
  const auto row = [&](const std::string& a, const std::string& b, const std::string& c) {
    return fmt::format("{:<{}}  {:<{}}  {}\n", a, name, b, value, c);
  };
  std::string text = row("option", "default", "takes");
  for (const FieldDescription& option : options) {
    text += row(option.name, option.default_value.text(), option.expected) + row("", "", "  " + option.help);
  }
  return text;
}

}  // namespace

int describe(const DescribeArguments& arguments, Console& console) {
  std::vector<std::string> names;
  for (const CatalogueFamily& family : catalogue()) {
    for (const CatalogueEntry& entry : family.entries) {
      names.push_back(entry.name);
      if (entry.name != arguments.name) continue;
      std::string text = fmt::format("{} ({})\n{}\n", entry.name, family.name, entry.docs.summary);
      if (!entry.docs.source.empty()) text += entry.docs.source + "\n";
      console.result(text + "\n" + option_lines(entry.options()));
      return 0;
    }
  }
  throw ConfigError(
      fmt::format("describe: unknown name '{}'{}", arguments.name, suggestion(arguments.name, names)));
}

}  // namespace tarn::verbs
