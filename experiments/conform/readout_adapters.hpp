#pragma once

#include "tarn/experiments/conform/adapters.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Adapters of readouts over layers, readouts with queries, and what stands beside them.
[[nodiscard]] std::vector<Adapter> readout_adapters();

}  // namespace TARN_PRECISION
}  // namespace tarn
