#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_store_tools.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <array>

namespace tarn::verbs {

int convert(const ConvertArguments& arguments, Console& console) {
  static const std::array<std::string, 1> kinds = {"store"};
  if (arguments.kind != kinds[0]) {
    throw ConfigError(
        fmt::format("convert: unknown kind '{}'{}", arguments.kind, suggestion(arguments.kind, kinds)));
  }
  convert_store(arguments.in, arguments.out);
  console.note(fmt::format("{}: written", arguments.out));
  return 0;
}

}  // namespace tarn::verbs
