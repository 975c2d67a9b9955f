#include "tarn/core/registry.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn::detail {

void throw_unknown_operator(std::string_view family, std::string_view name,
                            const std::vector<std::string>& known) {
  throw ConfigError(fmt::format("unknown {} '{}'{}", family, name, suggestion(name, known)));
}

void throw_duplicate_operator(std::string_view family, std::string_view name) {
  throw ConfigError(fmt::format("{} '{}': registered twice; expected a name of its own", family, name));
}

}  // namespace tarn::detail
