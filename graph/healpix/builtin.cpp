#include "tarn/graph/healpix/conv.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_sphere_layers(Registry<SphereLayer>& registry) {
  registry.add<HealpixConv>("healpix-conv",
                            {"y_p = b + sum over the pixel and its eight neighbours of W_k x_n(p,k)",
                             "Krachmalnicoff & Tomasi 2019, arXiv 1902.04083"});
}

Registry<SphereLayer>& sphere_layers() {
  static Registry<SphereLayer> registry = [] {
    Registry<SphereLayer> built_in("sphere layer");
    register_sphere_layers(built_in);
    return built_in;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
