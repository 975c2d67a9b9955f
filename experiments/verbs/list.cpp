#include "tarn/core/errors.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn::verbs {

namespace {

void print(const CatalogueFamily& family, Console& console) {
  std::size_t width = 0;
  for (const CatalogueEntry& entry : family.entries) width = std::max(width, entry.name.size());
  std::string text = family.name + "\n";
  for (const CatalogueEntry& entry : family.entries) {
    text += fmt::format("  {:<{}}  {}\n", entry.name, width, entry.docs.summary);
  }
  console.result(text);
}

}  // namespace

int list(const ListArguments& arguments, Console& console) {
  const std::vector<CatalogueFamily> families = catalogue();
  if (arguments.family.empty()) {
    for (const CatalogueFamily& family : families) print(family, console);
    return 0;
  }
  std::vector<std::string> names;
  for (const CatalogueFamily& family : families) {
    if (family.name == arguments.family) {
      print(family, console);
      return 0;
    }
    names.push_back(family.name);
  }
  throw ConfigError(
      fmt::format("list: unknown family '{}'{}", arguments.family, suggestion(arguments.family, names)));
}

}  // namespace tarn::verbs
