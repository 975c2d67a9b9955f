#pragma once

#include "tarn/experiments/conform/adapters.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// Functions on meshes, layers on their two graphs, and networks of them.
[[nodiscard]] std::vector<Adapter> mesh_adapters();

}  // namespace TARN_PRECISION
}  // namespace tarn
