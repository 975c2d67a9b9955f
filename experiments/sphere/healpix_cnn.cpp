#include "tarn/experiments/sphere/healpix_cnn.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

const HealpixCnnOptions& checked(const HealpixCnnOptions& o) {
  check_options(o, "healpix-cnn");
  if (o.pool == BlockPool::none) {
    throw ValueError("healpix-cnn.pool: got none; expected max, mean or sum");
  }
  if (o.blocks > 29 || (Size{1} << o.blocks) > o.nside) {
    throw ValueError(
        fmt::format("healpix-cnn.blocks: {} blocks halve nside {} too often; expected nside to be "
                    "at least 2^blocks",
                    o.blocks, o.nside));
  }
  return o;
}

}  // namespace

void HealpixCnnOptions::fields(Fields& f) {
  SkyOptions::fields(f);
  f("in_channels", in_channels, at_least(1), "channels of the maps");
  f("out_features", out_features, at_least(1), "numbers per map");
  f("blocks", blocks, at_least(1), "how often the resolution is halved");
  f("filters", filters, at_least(1), "channels of every block");
  f("hidden", hidden, at_least(1), "width of the hidden layer");
  f("pool", pool, "of each four pixels");
  f("conv_bias", conv_bias, "convolutions have a bias");
  f("missing", missing, "what stands for a neighbour that does not exist");
  f("dropout", dropout, in_range(0, 1), "share of the last maps' numbers that training drops");
  f("readout", readout, "flatten, or a readout over the last pixels");
}

inline namespace TARN_PRECISION {

HealpixCnn::HealpixCnn(const Options& o)
    : sky_(checked(o).sky("healpix-cnn")),
      in_channels_(o.in_channels),
      out_features_(o.out_features),
      dropout_(o.dropout) {
  healpix::Sky sky = sky_;
  for (Size i = 0; i < o.blocks; ++i) {
    HealpixBlockOptions b;
    b.nside = sky.grid().nside();
    b.ordering = o.ordering;
    if (!sky.full()) b.pixels = sky.pixels();
    b.in_channels = i == 0 ? o.in_channels : o.filters;
    b.out_channels = o.filters;
    b.bias = o.conv_bias;
    b.missing = o.missing;
    b.pool = o.pool;
    blocks_.push_back(&child(fmt::format("blocks.{}", i), std::make_unique<HealpixBlock>(b)));
    sky = blocks_.back()->output_sky();
  }
  const auto linear_layer = [&](const char* name, Size in, Size out) {
    return &child(name, std::make_unique<Linear>(in, out, Bias::yes, glorot(in, out), constant(0)));
  };
  readout_ = &child("", std::make_unique<MapReadout>(o.readout, sky.size(), o.filters));
  hidden_ = linear_layer("hidden", readout_->out_dim(), o.hidden);
  out_ = linear_layer("out", o.hidden, o.out_features);
}

Var HealpixCnn::forward(const SphereMaps& maps) {
  Var y = require_maps("healpix-cnn", maps);
  if (y.shape().rank() == 2) {
    y = reshape(y, {y.rows() / std::max<Size>(sky_.size(), 1), sky_.size(), in_channels_});
  }
  for (HealpixBlock* block : blocks_) y = block->forward(y);
  y = readout_->forward(dropout(y, dropout_));
  return out_->forward(hidden_->forward(y, Activation::relu));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
