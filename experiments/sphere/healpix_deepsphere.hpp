#pragma once

#include "tarn/experiments/sphere/sphere_network.hpp"

namespace tarn {

enum class DeepsphereHead { fcn, cnn };
inline std::span<const std::string_view> enum_names(DeepsphereHead) {
  static constexpr std::array<std::string_view, 2> names{"fcn", "cnn"};
  return names;
}

struct HealpixDeepsphereOptions : SphereGraphOptions {
  Size in_channels = 1;
  Size out_features = 10;
  std::vector<Size> filters{16, 32, 64, 64, 64};
  Size kernel_size = 5;
  double scale = 1;
  bool norm_affine = true;
  DeepsphereHead classifier = DeepsphereHead::fcn;
  std::string readout = "flatten";

  HealpixDeepsphereOptions() { nside = 32; }
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// `healpix-deepsphere`: blocks of [Chebyshev convolution, batch norm, relu, max pooling to half the
/// resolution], then a classifier.
///
/// `fcn`: one more convolution with as many filters as features, batch norm, the mean over all pixels:
/// turning the map changes nothing but rounding and the grid. `cnn`: the numbers of all pixels side by side,
/// or a readout, and a linear layer. Children: blocks.i, classifier. Perraudin et al. 2018, arXiv 1810.12186;
/// Defferrard et al. 2020, arXiv 2012.15000.
class HealpixDeepsphere final : public SphereNetwork {
 public:
  using Options = HealpixDeepsphereOptions;
  /// Throws ValueError unless nside is at least 2 to the number of filters, and for a readout beside `fcn`.
  explicit HealpixDeepsphere(const Options& options);
  Var forward(const SphereMaps& maps) override;
  const healpix::Sky& input_sky() const override { return sky_; }
  Size in_channels() const override { return in_channels_; }
  Size out_features() const override { return out_features_; }

 private:
  healpix::Sky sky_;
  Size in_channels_, out_features_;
  std::vector<HealpixBlock*> blocks_;
  HealpixBlock* last_ = nullptr;  ///< of `fcn`
  MapReadout* readout_ = nullptr;
  Linear* out_ = nullptr;  ///< of `cnn`
};

}  // namespace TARN_PRECISION
}  // namespace tarn
