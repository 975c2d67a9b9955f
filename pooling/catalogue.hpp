#pragma once

#include <string>

namespace tarn {

/// The tables of pooling/README.md: every built-in readout of the three families with the primitives it
/// stands on (see readouts/primitives.hpp), its formula and its source. Made from the registries; a test
/// compares the file.
[[nodiscard]] std::string readout_tables();

}  // namespace tarn
