#pragma once

#include "tarn/core/value.hpp"

namespace tarn {

/// What numbers may depend on beside configuration and data, for the record: version, precision, compiler,
/// processor, threads.
[[nodiscard]] Value environment();

}  // namespace tarn
