#pragma once

#include "tarn/core/registry.hpp"
#include "tarn/graph/mesh/dual_primal.hpp"
#include "tarn/graph/mesh/edge_pool.hpp"

#include <optional>

namespace tarn {
inline namespace TARN_PRECISION {

struct MeshLayerInput {
  DualPrimal features;
  Var attention{};                     ///< for a pool alone
  std::optional<PoolRecord> record{};  ///< for layers that unpool
  DualPrimal before{};                 ///< for layers that unpool: structure, and features to stand beside
};

struct MeshLayerResult {
  DualPrimal features;                 ///< pooled, where the layer pools
  Var attention{};                     ///< of the last convolution, [P, H] on the edges that came in
  std::optional<PoolRecord> record{};  ///< where the layer pools
  DualPrimal before{};                 ///< the features before pooling
};

/// A layer on the two graphs of a batch of meshes. Primal features that are not given are not computed.
class MeshLayer : public Module {
 public:
  virtual MeshLayerResult apply(const MeshLayerInput& in) = 0;
};

/// All layers by name.
[[nodiscard]] Registry<MeshLayer>& mesh_layers();
void register_mesh_layers(Registry<MeshLayer>& registry);

}  // namespace TARN_PRECISION
}  // namespace tarn
