#pragma once

#include "tarn/experiments/conform/adapters.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Adapters of the layers of graph networks: convolutions, norms, the virtual node, pools over their history.
[[nodiscard]] std::vector<Adapter> graph_adapters();

}  // namespace TARN_PRECISION
}  // namespace tarn
