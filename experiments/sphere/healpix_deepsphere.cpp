#include "tarn/experiments/sphere/healpix_deepsphere.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

const HealpixDeepsphereOptions& checked(const HealpixDeepsphereOptions& o) {
  check_options(o, "healpix-deepsphere");
  const auto levels = o.filters.size();
  if (levels == 0 || levels > 29 || (Size{1} << levels) > o.nside) {
    throw ValueError(
        fmt::format("healpix-deepsphere.filters: {} blocks at nside {}; expected at least 1, and "
                    "nside to be at least 2 to their number",
                    levels, o.nside));
  }
  if (o.classifier == DeepsphereHead::fcn && o.readout != "flatten") {
    throw ValueError(
        fmt::format("healpix-deepsphere.readout: got {} with the classifier fcn, which averages "
                    "over pixels; expected flatten, or the classifier cnn",
                    o.readout));
  }
  return o;
}

HealpixBlockOptions block_options(const HealpixDeepsphereOptions& o, const healpix::Sky& sky, Size in,
                                  Size out) {
  HealpixBlockOptions b;
  static_cast<SphereGraphOptions&>(b) = o;
  b.nside = sky.grid().nside();
  b.pixels.reset();
  if (!sky.full()) b.pixels = sky.pixels();
  if (o.neighbourhood == Neighbourhood::knn) b.k = std::min(o.k, std::max<Size>(sky.size() - 1, 1));
  b.conv = SphereConv::healpix_cheb_conv;
  b.in_channels = in;
  b.out_channels = out;
  b.kernel_size = o.kernel_size;
  b.scale = o.scale;
  b.norm = SphereNorm::batch_norm;
  b.norm_affine = o.norm_affine;
  return b;
}

}  // namespace

void HealpixDeepsphereOptions::fields(Fields& f) {
  SphereGraphOptions::fields(f);
  f("in_channels", in_channels, at_least(1), "channels of the maps");
  f("out_features", out_features, at_least(1), "numbers per map");
  f("filters", filters, at_least(1), "channels of each block; each halves the resolution");
  f("kernel_size", kernel_size, at_least(1), "number of polynomials");
  f("scale", scale, above(0), "shrinks the spectrum inside [-1, 1]");
  f("norm_affine", norm_affine, "norms scale and shift");
  f("classifier", classifier, "convolution and mean over the pixels, or a linear layer");
  f("readout", readout, "with cnn: flatten, or a readout over the last pixels");
}

inline namespace TARN_PRECISION {

HealpixDeepsphere::HealpixDeepsphere(const Options& o)
    : sky_(checked(o).sky("healpix-deepsphere")), in_channels_(o.in_channels), out_features_(o.out_features) {
  healpix::Sky sky = sky_;
  Size width = o.in_channels;
  for (std::size_t i = 0; i < o.filters.size(); ++i) {
    HealpixBlockOptions b = block_options(o, sky, width, o.filters[i]);
    b.pool = BlockPool::max;
    blocks_.push_back(&child(fmt::format("blocks.{}", i), std::make_unique<HealpixBlock>(b)));
    sky = blocks_.back()->output_sky();
    width = o.filters[i];
  }
  if (o.classifier == DeepsphereHead::fcn) {
    HealpixBlockOptions b = block_options(o, sky, width, o.out_features);
    b.relu = false;
    last_ = &child("classifier", std::make_unique<HealpixBlock>(b));
    readout_ = &child("", std::make_unique<MapReadout>("mean", sky.size(), o.out_features));
    return;
  }
  readout_ = &child("", std::make_unique<MapReadout>(o.readout, sky.size(), width));
  out_ = &child("classifier",
                std::make_unique<Linear>(readout_->out_dim(), o.out_features, Bias::yes,
                                         glorot(readout_->out_dim(), o.out_features), constant(0)));
}

Var HealpixDeepsphere::forward(const SphereMaps& maps) {
  Var y = require_maps("healpix-deepsphere", maps);
  if (y.shape().rank() == 2) {
    y = reshape(y, {y.rows() / std::max<Size>(sky_.size(), 1), sky_.size(), in_channels_});
  }
  for (HealpixBlock* block : blocks_) y = block->forward(y);
  if (last_ != nullptr) return readout_->forward(last_->forward(y));
  return out_->forward(readout_->forward(y));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
