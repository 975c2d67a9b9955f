#include "tarn/pooling/layer_readouts/surface_fusion.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/log_softmax.hpp"

#include <cmath>

namespace tarn {

namespace {

/// The same numbers without a gradient.
Var cut(Var x) {
  return x.tape().input(x.value(), x.shape());
}

}  // namespace

inline namespace TARN_PRECISION {

SurfaceFusion::SurfaceFusion(const Options& o)
    : LayerReadout("surface-fusion", o),
      o_(o),
      attention_(child("sf_attn", std::make_unique<MultiHeadAttention>(o.in_channels, o.heads, 0, name()))),
      weight_(parameter("weight", {required_option(name(), "classes", o.classes), o.in_channels},
                        normal(1 / std::sqrt(static_cast<double>(o.in_channels))))) {}

Var SurfaceFusion::joined(Var of_query, Var of_surface) const {
  if (o_.mode == FusionMode::hard) {
    return add(scale(log_softmax(of_query), o_.gate), log_softmax(of_surface), 1 - o_.gate);
  }
  const Var surface = log_softmax(scale(of_surface, o_.tau));
  return log_softmax(add(o_.mode == FusionMode::soft ? of_query : log_softmax(of_query), surface));
}

LayersPooled SurfaceFusion::pool(const LayersInput& in) {
  Tape& tape = in.x.tape();
  const Size last = in.x.shape()[1] - 1;
  const Var surface = attention_.forward(cut(in.query), Segments::uniform(in.sets.count(), 1),
                                         cut(layer_of(in.x, last)), layer_of(in.x, 0), in.sets);  // [B, D]
  const Var weight = tape.parameter(weight_);
  return {surface, joined(linear(in.query, weight), linear(surface, weight))};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
