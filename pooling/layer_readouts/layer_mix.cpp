#include "tarn/pooling/layer_readouts/layer_mix.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/mix.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/layer_pools/layer_shares.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

std::vector<Size> chosen_layers(const LayerMixOptions& o) {
  std::vector<Size> result;
  if (!o.layers) {
    for (Size l = 0; l < o.num_layers; ++l) result.push_back(l);
    return result;
  }
  for (const Size l : *o.layers) {
    if (l < -o.num_layers || l >= o.num_layers) {
      throw ConfigError(fmt::format("layer-mix.layers: got {} of {} layers; expected {} to {}", l,
                                    o.num_layers, -o.num_layers, o.num_layers - 1));
    }
    result.push_back(l < 0 ? l + o.num_layers : l);
  }
  if (result.empty()) throw ConfigError("layer-mix.layers: got []; expected at least one layer");
  return result;
}

}  // namespace

inline namespace TARN_PRECISION {

LayerMix::LayerMix(const Options& o) : LayerReadout("layer-mix", o), o_(o), layers_(chosen_layers(o)) {
  if (!o.learn) return;
  scalars_ = &parameter("scalar_parameters", {static_cast<Size>(layers_.size())}, constant(0));
  gamma_ = &parameter("gamma", {1}, constant(1));
}

Var LayerMix::reduce(Var x, const Segments& sets) const {
  switch (o_.readout) {
    case RowReadout::mean:
      return segment_reduce(x, sets, Reduce::mean);
    case RowReadout::max:
      return segment_reduce(x, sets, Reduce::max);
    case RowReadout::first:
      return segment_end_mean(x, sets, SetEnd::first, 1);
    case RowReadout::last:
      return segment_end_mean(x, sets, SetEnd::last, 1);
  }
  return x;
}

Var LayerMix::mixed(std::span<const Var> blocks) {
  if (scalars_ == nullptr) return average(blocks);
  Tape& tape = blocks[0].tape();
  return mix(blocks, scaled_shares(layer_softmax(tape.parameter(*scalars_)), tape.parameter(*gamma_)));
}

LayersPooled LayerMix::pool(const LayersInput& in) {
  // A maximum does not pass through a sum.
  const bool reduces_first = o_.readout != RowReadout::max;
  std::vector<Var> blocks;
  for (const Size l : layers_) {
    const Var x = layer_of(in.x, l);
    blocks.push_back(reduces_first ? reduce(x, in.sets) : x);
  }
  const Var y = mixed(blocks);
  return {reduces_first ? y : reduce(y, in.sets)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
