#include "tarn/pooling/readouts/readout.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

std::unique_ptr<Readout> make_readout(std::string_view name, Size in_dim, Value options) {
  const auto& entry = readouts().at(name);
  if (entry.has_option("in_channels")) options.set("in_channels", in_dim);
  return entry.make(options);
}

void require_set_input(const char* where, const SetInput& in, Size in_channels) {
  if (in.x.shape().rank() != 2) {
    throw ShapeError(fmt::format("{}: x is {}; expected [N, D]", where, in.x.shape().text()));
  }
  if (in.x.cols() == 0) throw ShapeError(fmt::format("{}: x has width 0; expected at least 1", where));
  if (in_channels != 0 && in.x.cols() != in_channels) {
    throw ShapeError(
        fmt::format("{}: x has width {}; expected {} (in_channels)", where, in.x.cols(), in_channels));
  }
  in.sets.require_cover(where, in.x.rows());
}

}  // namespace TARN_PRECISION
}  // namespace tarn
