#include "tarn/experiments/sphere/sphere_network.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/experiments/sphere/healpix_bands.hpp"
#include "tarn/experiments/sphere/healpix_cnn.hpp"
#include "tarn/experiments/sphere/healpix_deepsphere.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Var SphereNetwork::require_maps(const char* where, const SphereMaps& maps) const {
  const healpix::Ordering own = input_sky().ordering();
  if (maps.ordering != own) {
    const auto names = enum_names(own);
    throw ValueError(fmt::format("{}: maps in {} order; expected {}, in which the weights were made", where,
                                 names[static_cast<std::size_t>(maps.ordering)],
                                 names[static_cast<std::size_t>(own)]));
  }
  static_cast<void>(healpix::count_maps(where, maps.x, input_sky().size(), in_channels()));
  return maps.x;
}

MapReadout::MapReadout(const std::string& readout, Size pixels, Size channels)
    : pixels_(pixels), channels_(channels), out_dim_(pixels * channels) {
  if (readout == "flatten") return;
  readout_ = &child("readout", make_readout(readout, channels));
  out_dim_ = readout_->out_dim(channels);
}

Var MapReadout::forward(Var x) {
  const Size maps = healpix::count_maps("sphere readout", x, pixels_, channels_);
  if (readout_ == nullptr) return reshape(x, {maps, pixels_ * channels_});
  const Var rows = reshape(x, {maps * pixels_, channels_});
  return readout_->forward({.x = rows, .sets = Segments::uniform(maps, pixels_)}).y;
}

void register_sphere_networks(Registry<SphereNetwork>& registry) {
  registry.add<HealpixCnn>("healpix-cnn",
                           {"blocks of nine-point convolution, relu and pooling; two linear layers",
                            "Krachmalnicoff & Tomasi 2019, arXiv 1902.04083"});
  registry.add<HealpixDeepsphere>(
      "healpix-deepsphere",
      {"blocks of Chebyshev convolution, batch norm, relu and max pooling; a classifier",
       "Perraudin et al. 2018, arXiv 1810.12186; Defferrard et al. 2020, arXiv 2012.15000"});
  registry.add<HealpixBands>(
      "healpix-bands",
      {"Chebyshev filters of high order, ln of the mean square over the pixels, two linear layers",
       "filters of Defferrard et al. 2020, arXiv 2012.15000"});
}

Registry<SphereNetwork>& sphere_networks() {
  static Registry<SphereNetwork> registry = [] {
    Registry<SphereNetwork> built_in("sphere network");
    register_sphere_networks(built_in);
    return built_in;
  }();
  return registry;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
