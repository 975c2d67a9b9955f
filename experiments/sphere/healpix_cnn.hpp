#pragma once

#include "tarn/experiments/sphere/sphere_network.hpp"

namespace tarn {

struct HealpixCnnOptions : healpix::SkyOptions {
  Size in_channels = 1;
  Size out_features = 10;
  Size blocks = 4;
  Size filters = 32;
  Size hidden = 48;
  BlockPool pool = BlockPool::max;
  bool conv_bias = false;
  healpix::Missing missing = healpix::Missing::zero;
  double dropout = 0.2;
  std::string readout = "flatten";

  HealpixCnnOptions() { nside = 16; }
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-cnn`: blocks of [nine-point convolution, relu, pooling to half the resolution], dropout, the
/// numbers of all pixels side by side (pixel p, channel c at p C + c) or a readout, linear and relu, linear.
///
/// Parameters: blocks.i.conv.weight [filters, in, 9], hidden.weight, hidden.bias, out.weight, out.bias;
/// linear weights start Glorot uniform, biases at 0. Over a partial sky each block pools what the list has.
/// Flattened weights depend on the order of the pixels, hence networks refuse maps in another. Krachmalnicoff
/// & Tomasi 2019, arXiv 1902.04083.
class HealpixCnn final : public SphereNetwork {
 public:
  using Options = HealpixCnnOptions;
  /// Throws ValueError unless nside is at least 2^blocks.
  explicit HealpixCnn(const Options& options);
  Var forward(const SphereMaps& maps) override;
  const healpix::Sky& input_sky() const override { return sky_; }
  Size in_channels() const override { return in_channels_; }
  Size out_features() const override { return out_features_; }

 private:
  healpix::Sky sky_;
  Size in_channels_, out_features_;
  double dropout_;
  std::vector<HealpixBlock*> blocks_;
  MapReadout* readout_;
  Linear* hidden_;
  Linear* out_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
