#include "tarn/experiments/conform/conform.hpp"

#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

namespace tarn::verbs {

int conform(const ConformArguments& arguments, Console& console) {
  const ConformResult result = tarn::conform(
      arguments.files,
      {.pattern = arguments.pattern, .operators = arguments.operators, .known_only = arguments.known_only});
  for (const std::string& line : result.lines) console.result(line);
  if (result.skipped > 0)
    console.result(fmt::format("{} skipped: their operators are unknown", result.skipped));
  console.result(fmt::format("{} passed, {} failed", result.passed, result.failed));
  return result.failed > 0 ? 1 : 0;
}

}  // namespace tarn::verbs
