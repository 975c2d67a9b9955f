#pragma once

#include "tarn/experiments/sphere/sphere_network.hpp"

namespace tarn {

struct HealpixBandsOptions : SphereGraphOptions {
  Size in_channels = 1;
  Size out_features = 1;
  Size bands = 32;
  Size kernel_size = 48;
  double floor = 1e-8;
  Size hidden = 64;
  std::string readout = "flatten";

  HealpixBandsOptions() { nside = 16; }
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-bands`: learned bands of the spectrum. A Chebyshev convolution of high order, the mean over all
/// pixels of the square of each filtered map, ln(power + floor), linear and relu, linear.
///
/// Filters start as Gaussian bands that cover the graph's spectrum, at equal distances in arccos(Lt), which
/// is nearly proportional to the degree l; each input channel has bands of its own. Turning the map changes
/// nothing but rounding and the grid. Made for Gaussian fields, whose likelihood hangs on such powers; it
/// stands on the filters of Defferrard et al. 2020, arXiv 2012.15000. Parameters: bands.weight [K, in,
/// bands], hidden, out; state: band_mean, band_deviation [bands], which `calibrate` takes from maps.
class HealpixBands final : public SphereNetwork {
 public:
  using Options = HealpixBandsOptions;
  /// Throws ValueError for a readout, since the network averages over pixels.
  explicit HealpixBands(const Options& options);
  Var forward(const SphereMaps& maps) override;
  void calibrate(const SphereMaps& maps) override;
  const healpix::Sky& input_sky() const override { return sky_; }
  Size in_channels() const override { return in_channels_; }
  Size out_features() const override { return out_features_; }

 private:
  /// Logarithms of the powers, [B, bands].
  [[nodiscard]] Var powers(const SphereMaps& maps);
  void start_bands();

  healpix::Sky sky_;
  Size in_channels_, out_features_;
  double floor_;
  HealpixChebConv* filters_;
  Linear *hidden_, *out_;
  Parameter *band_mean_, *band_deviation_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
