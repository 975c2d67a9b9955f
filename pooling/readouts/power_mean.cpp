#include "tarn/pooling/readouts/power_mean.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/segment_power_mean.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

void require_channels(const std::string& owner, Size channels, bool learn, Size width) {
  if (channels != 1 && channels != width) {
    throw ConfigError(
        fmt::format("{}.channels: got {} for width {}; expected 1 or the width", owner, channels, width));
  }
  if (channels != 1 && !learn) {
    throw ConfigError(
        fmt::format("{}.channels: got {} with learn false; expected 1 or learn true", owner, channels));
  }
}

Gem::Gem(const Options& o) : Readout("gem", o), o_(o) {
  require_divides(name(), "groups", o.groups, o.in_channels);
  if (o.learn) p_ = &parameter("p", {o.groups}, constant(o.p));
}

Pooled Gem::pool(const SetInput& in) {
  return {segment_power_mean(in.x, in.x.tape().parameter(p_), o_.p, {.low = o_.eps}, in.sets)};
}

PowerMeanReadout::PowerMeanReadout(const Options& o) : Readout("power-mean", o), o_(o) {
  require_channels(name(), o.channels, o.learn, o.in_channels);
  if (o.clamp_min && o.clamp_max && *o.clamp_min > *o.clamp_max) {
    throw ConfigError(fmt::format("power-mean.clamp_min: got {} with clamp_max {}; expected at most that",
                                  *o.clamp_min, *o.clamp_max));
  }
  if (o.learn) p_ = &parameter("p", {o.channels}, constant(o.p));
}

Pooled PowerMeanReadout::pool(const SetInput& in) {
  if (!o_.learn && o_.p == 1) return {segment_reduce(in.x, in.sets, Reduce::mean)};
  if (checks_sign()) require_non_negative(name(), "x", in.x);
  return {segment_power_mean(in.x, in.x.tape().parameter(p_), o_.p,
                             {.low = o_.clamp_min, .high = o_.clamp_max, .on_mean = true}, in.sets)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
