#include "tarn/experiments/mesh/pd_mesh_classifier.hpp"
#include "tarn/experiments/mesh/pd_mesh_segmenter.hpp"
#include "tarn/experiments/mesh/pd_mesh_unet_segmenter.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_mesh_networks(Registry<MeshNetwork>& r) {
  const std::string source =
      "Milano et al. 2020, Primal-Dual Mesh Convolutional Neural Networks, arXiv 2010.12455";
  r.add<PdMeshClassifier>("pd-mesh-classifier",
                          {"blocks that pool, mean over each mesh, two linear layers", source});
  r.add<PdMeshSegmenter>("pd-mesh-segmenter",
                         {"blocks that pool, every face gets the scores of its cluster", source});
  r.add<PdMeshUnetSegmenter>("pd-mesh-unet-segmenter",
                             {"encoder that pools, decoder that unpools, features beside", source});
}

Registry<MeshNetwork>& mesh_networks() {
  static Registry<MeshNetwork> registry = [] {
    Registry<MeshNetwork> r("mesh network");
    register_mesh_networks(r);
    return r;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
