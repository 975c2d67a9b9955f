#pragma once

#include "tarn/graph/mesh/mesh_features.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Meshes side by side, as the layers take them.
struct MeshBatch {
  Tensor x;       ///< [N, Cp]
  Tensor x_dual;  ///< [D, Cd]
  PrimalDualGraph graph;
};

/// Copies the features of some meshes after each other and builds their graphs. Throws ShapeError if widths
/// differ.
[[nodiscard]] MeshBatch join_meshes(std::span<const PrimalDualMesh* const> meshes,
                                    DualConfiguration configuration);

}  // namespace TARN_PRECISION
}  // namespace tarn
