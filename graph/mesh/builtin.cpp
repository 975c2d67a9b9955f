#include "tarn/graph/mesh/dual_primal_conv.hpp"
#include "tarn/graph/mesh/dual_primal_down_conv.hpp"
#include "tarn/graph/mesh/dual_primal_res_conv.hpp"
#include "tarn/graph/mesh/dual_primal_up_conv.hpp"
#include "tarn/graph/mesh/edge_pool_layers.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_mesh_layers(Registry<MeshLayer>& r) {
  const std::string source =
      "Milano et al. 2020, Primal-Dual Mesh Convolutional Neural Networks, arXiv 2010.12455";
  r.add<DualPrimalConv>(
      "dual-primal-conv",
      {"attention on the dual graph, whose features score attention on the primal one", source});
  r.add<DualPrimalResConv>(
      "dual-primal-res-conv",
      {"convolutions with batch norm between, the first one's output added to the last's", source});
  r.add<DualPrimalResDownConv>("dual-primal-res-down-conv",
                               {"dual-primal-res-conv, norm and relu, pooling by its attention", source});
  r.add<DualPrimalDownConv>("dual-primal-down-conv",
                            {"convolutions with instance norm, each skipped over, then pooling", source});
  r.add<DualPrimalUpConv>(
      "dual-primal-up-conv",
      {"convolution, unpooling, features from before the pool beside, convolution", source});
  r.add<DualPrimalEdgePool>(
      "dual-primal-edge-pool",
      {"contracts the primal edges of largest attention; faces merge into clusters", source});
  r.add<DualPrimalEdgeUnpool>(
      "dual-primal-edge-unpool",
      {"every node gets its cluster's row, vanished dual nodes a learned one", source});
}

Registry<MeshLayer>& mesh_layers() {
  static Registry<MeshLayer> registry = [] {
    Registry<MeshLayer> r("mesh layer");
    register_mesh_layers(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
