#include "tarn/graph/norms/norm.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

Var Norm::forward(Var x, const Segments& sets, Activation activation) {
  if (x.shape().rank() != 2 || (channels_ != 0 && x.cols() != channels_)) {
    throw ShapeError(fmt::format("{}: x is {}; expected [N, {}", name_, x.shape().text(),
                                 channels_ == 0 ? "C]" : fmt::format("{}] (channels)", channels_)));
  }
  sets.require_cover(name_, x.rows());
  return normalize(x, sets, activation);
}

std::unique_ptr<Norm> make_norm(std::string_view name, Size channels, Value options) {
  const auto& entry = norms().at(name);
  if (entry.has_option("channels")) options.set("channels", channels);
  return entry.make(options);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
