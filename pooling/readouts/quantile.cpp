#include "tarn/pooling/readouts/quantile.hpp"

#include "tarn/core/errors.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

Pooled Median::pool(const SetInput& in) {
  static constexpr double half = 0.5;
  return {segment_quantile(in.x, in.sets, {&half, 1}, Interpolation::lower, o_.fill_value)};
}

Quantile::Quantile(const Options& o) : Readout("quantile", o), o_(o) {
  if (o.q.empty()) throw ConfigError("quantile.q: got []; expected at least one number in [0, 1]");
}

Pooled Quantile::pool(const SetInput& in) {
  return {segment_quantile(in.x, in.sets, o_.q, o_.interpolation, o_.fill_value)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
