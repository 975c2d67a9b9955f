#include "tarn/pooling/layer_readouts/layer_readout.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/slice.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

void LayerReadout::check(const LayersInput& in) const {
  if (in.layers.given() && !takes_layers())
    throw ShapeError(fmt::format("{}: got layers; expected x alone", name_));
  const Var x = in.layers.given() ? in.layers : in.x;
  require_set_features(name_, x, 3, in_channels_);
  if (num_layers_ != 0 && x.shape()[1] != num_layers_) {
    throw ShapeError(
        fmt::format("{}: x has {} layers; expected {} (num_layers)", name_, x.shape()[1], num_layers_));
  }
  if (!in.layers.given()) {
    in.sets.require_cover(name_, x.shape()[0]);
    require_filled(name_, in.sets, in.empty);
  }
  if (in.query.given()) {
    require_shape(name_, "query", in.query, {in.sets.count(), x.cols()});
  } else if (needs().query) {
    throw ShapeError(
        fmt::format("{}: query is not given; expected [{}, {}]", name_, in.sets.count(), x.cols()));
  }
}

LayersPooled LayerReadout::forward(const LayersInput& in) {
  check(in);
  return pool(in);
}

Var layer_of(Var x, Size layer) {
  const Shape& shape = x.shape();
  const Var flat = reshape(x, {shape[0], shape[1] * shape[2]});
  return slice_columns(flat, layer * shape[2], (layer + 1) * shape[2]);
}

std::unique_ptr<LayerReadout> make_layer_readout(std::string_view name, Size num_layers, Size in_dim,
                                                 Value options) {
  const auto& entry = layer_readouts().at(name);
  options.set("in_channels", in_dim);
  if (entry.has_option("num_layers")) options.set("num_layers", num_layers);
  return entry.make(options);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
