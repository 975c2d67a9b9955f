#include "tarn/pooling/readouts/readout.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Pooled Readout::forward(const SetInput& in) {
  require_set_features(name_, in.x, 2, in_channels_);
  in.sets.require_cover(name_, in.x.rows());
  require_filled(name_, in.sets, in.empty);
  if (in.weight.given()) {
    require_shape(name_, "weight", in.weight, {in.x.rows()});
    require_non_negative(name_, "weight", in.weight);
  } else if (needs().weight) {
    throw ShapeError(fmt::format("{}: weight is not given; expected [{}]", name_, in.x.rows()));
  }
  return pool(in);
}

std::unique_ptr<Readout> make_readout(std::string_view name, Size in_dim, Value options) {
  const auto& entry = readouts().at(name);
  if (entry.has_option("in_channels")) options.set("in_channels", in_dim);
  return entry.make(options);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
