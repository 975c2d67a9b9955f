#include "tarn/graph/healpix/block.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

namespace tarn {

namespace {

std::optional<healpix::PoolMode> mode_of(BlockPool pool) {
  switch (pool) {
    case BlockPool::max:
      return healpix::PoolMode::max;
    case BlockPool::mean:
      return healpix::PoolMode::mean;
    case BlockPool::sum:
      return healpix::PoolMode::sum;
    case BlockPool::none:
      break;
  }
  return std::nullopt;
}

HealpixConvOptions conv_options(const HealpixBlockOptions& o) {
  return {healpix::SkyOptions{o.nside, o.ordering, o.pixels}, o.in_channels, o.out_channels,
          o.bias.value_or(false), o.missing};
}

HealpixChebConvOptions cheb_options(const HealpixBlockOptions& o) {
  HealpixChebConvOptions c;
  static_cast<SphereGraphOptions&>(c) = o;
  c.in_channels = o.in_channels;
  c.out_channels = o.out_channels;
  c.kernel_size = o.kernel_size;
  c.scale = o.scale;
  c.lambda_max = o.lambda_max;
  c.bias = o.bias.value_or(true);
  return c;
}

}  // namespace

void HealpixBlockOptions::fields(Fields& f) {
  SphereGraphOptions::fields(f);
  f("conv", conv, "which convolution");
  f("in_channels", in_channels, at_least(1), "channels of the maps that come in");
  f("out_channels", out_channels, at_least(1), "channels of the result");
  f("bias", bias, "of the convolution; null: none for healpix-conv, one for healpix-cheb-conv");
  f("missing", missing, "healpix-conv: what stands for a neighbour that does not exist");
  f("kernel_size", kernel_size, at_least(1), "healpix-cheb-conv: number of polynomials");
  f("scale", scale, above(0), "healpix-cheb-conv: shrinks the spectrum inside [-1, 1]");
  f("lambda_max", lambda_max, {"estimate"}, "healpix-cheb-conv: largest eigenvalue of the Laplacian");
  f("norm", norm, "what follows the convolution");
  f("norm_affine", norm_affine, "the norm scales and shifts");
  f("momentum", momentum, between(0, 1), "of the norm's running values");
  f("eps", eps, at_least(0), "added to the norm's variance");
  f("relu", relu, "negative numbers become zero");
  f("pool", pool, "of each four pixels; none keeps the resolution");
}

inline namespace TARN_PRECISION {

HealpixBlock::HealpixBlock(const Options& o) : relu_(o.relu), fused_(false), mode_(mode_of(o.pool)) {
  check_options(o, "healpix-block");
  if (mode_ && o.nside == 1) {
    throw ValueError("healpix-block.pool: nside is 1; expected at least 2, or none");
  }
  if (o.conv == SphereConv::healpix_conv) {
    conv_ = &child("conv", std::make_unique<HealpixConv>(conv_options(o)));
  } else {
    cheb_ = &child("conv", std::make_unique<HealpixChebConv>(cheb_options(o)));
  }
  if (o.norm == SphereNorm::batch_norm) {
    norm_ = &child(
        "norm", std::make_unique<BatchNorm>(
                    o.out_channels, BatchNorm::Settings{.eps = o.eps,
                                                        .momentum = o.momentum,
                                                        .affine = o.norm_affine ? Affine::yes : Affine::no}));
  }
  const bool whole = !o.pixels && o.ordering == healpix::Ordering::nest;
  fused_ = conv_ != nullptr && norm_ == nullptr && (whole || !mode_);
  if (mode_) {
    pool_ = &child("pool", std::make_unique<HealpixPool>(
                               HealpixPoolOptions{o.nside, o.nside / 2, o.ordering, *mode_, o.pixels}));
  }
}

const SphereLayer& HealpixBlock::convolution() const {
  if (conv_ != nullptr) return *conv_;
  return *cheb_;
}

Var HealpixBlock::forward(Var x) {
  const Activation activation = relu_ ? Activation::relu : Activation::none;
  if (fused_) return conv_->forward(x, {.activation = activation, .pool = mode_});
  Var y = conv_ != nullptr ? conv_->forward(x) : cheb_->forward(x);
  if (norm_ != nullptr) {
    const Shape shape = y.shape();
    y = reshape(norm_->forward(reshape(y, {shape.rows(), shape.cols()}), activation, "healpix-block"), shape);
  } else {
    y = activate(y, activation);
  }
  return pool_ != nullptr ? pool_->forward(y) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
