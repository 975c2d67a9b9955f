#pragma once

#include "tarn/core/registry.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tarn::verbs {

/// One operator or experiment, as `list` and `describe` show it.
struct CatalogueEntry {
  std::string name;
  OperatorDocs docs;
  std::function<std::vector<FieldDescription>()> options;
};

struct CatalogueFamily {
  std::string name;  ///< in the plural: "readouts"
  std::vector<CatalogueEntry> entries;
};

/// All families of operators, then the experiments.
[[nodiscard]] std::vector<CatalogueFamily> catalogue();

/// The keys that a verb takes, one a line, for the command line's help.
[[nodiscard]] std::string key_lines(const std::vector<FieldDescription>& fields);

}  // namespace tarn::verbs
