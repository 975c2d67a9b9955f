#include "tarn/core/errors.hpp"
#include "tarn/datasets/stress_texts.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn::verbs {

int generate(const GenerateArguments& arguments, Console& console) {
  static const std::array<std::string, 1> kinds = {"stress"};
  if (arguments.kind != kinds[0]) {
    throw ConfigError(
        fmt::format("generate: unknown kind '{}'{}", arguments.kind, suggestion(arguments.kind, kinds)));
  }
  Value given{Value::Table{}};
  apply_overrides(given, arguments.overrides);
  const auto options = read_options<StressOptions>(given, "generate stress");
  const std::vector<StressText> texts = generate_stress_texts(options);
  write_stress_texts(texts, std::filesystem::path(arguments.out));
  console.note(fmt::format("{}: {} texts written", arguments.out, texts.size()));
  return 0;
}

std::string generate_keys() {
  return key_lines(describe_options<StressOptions>());
}

}  // namespace tarn::verbs
