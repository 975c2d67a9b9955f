#include "tarn/graph/healpix/block.hpp"
#include "tarn/graph/healpix/cheb_conv.hpp"
#include "tarn/graph/healpix/conv.hpp"
#include "tarn/graph/healpix/pool.hpp"
#include "tarn/graph/healpix/strided_conv.hpp"
#include "tarn/graph/healpix/unpool.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

void register_sphere_layers(Registry<SphereLayer>& registry) {
  registry.add<HealpixConv>("healpix-conv",
                            {"y_p = b + sum over the pixel and its eight neighbours of W_k x_n(p,k)",
                             "Krachmalnicoff & Tomasi 2019, arXiv 1902.04083"});
  registry.add<HealpixStridedConv>("healpix-strided-conv",
                                   {"y_q = b + sum over the descendants of pixel q of W_k x_child(q,k)",
                                    "Krachmalnicoff & Tomasi 2019, arXiv 1902.04083"});
  registry.add<HealpixChebConv>(
      "healpix-cheb-conv",
      {"y = b + sum over k < K of T_k(2 scale L / lambda_max - I) x W_k, L the graph's Laplacian",
       "Perraudin et al. 2018, arXiv 1810.12186; Defferrard et al. 2020, arXiv 2012.15000"});
  registry.add<HealpixPool>("healpix-pool", {"maximum, mean or sum over the descendants of each pixel", ""});
  registry.add<HealpixBlock>("healpix-block",
                             {"convolution, batch norm, relu, pooling to half the resolution",
                              "Krachmalnicoff & Tomasi 2019; Perraudin et al. 2018"});
  registry.add<HealpixUnpool>("healpix-unpool", {"every descendant takes the value of its pixel", ""});
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
