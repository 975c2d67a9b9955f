#include "tarn/experiments/sphere/field_sets.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/sphere/sphere_fields.hpp"

#include <fmt/format.h>

namespace tarn {

void FieldSetOptions::fields(Fields& f) {
  f("kind", kind, "peak: a temperature; eb: Q and U");
  f("maps", maps, at_least(1), "how many");
  f("f_sky", f_sky, Bounds{.low = 0, .high = 1, .low_open = true}, "share of the sky that is kept");
  f("noise", noise, at_least(0), "white noise, times the deviation of the signal");
  f("part", part, "name of the random stream: maps of different parts are independent");
  FieldRecipe::fields(f);
}

SkyMaps generate_fields(const FieldSetOptions& options) {
  if (!(options.low >= 1 && options.low <= options.high)) {
    throw ConfigError(
        fmt::format("generate fields.low: got {} with high = {}; expected a degree from 1 to that",
                    options.low, options.high));
  }
  const bool polarised = options.kind == FieldKind::eb;
  const SphereFields fields(polarised ? SphereTask::eb : SphereTask::peak, options, options.noise,
                            std::nullopt);
  const healpix::Sky sky = field_sky(options, options.f_sky);
  SkyMaps set{
      .sky = sky,
      .channels = polarised ? std::vector<std::string>{"Q", "U"} : std::vector<std::string>{"T"},
      .units = std::vector<std::string>(polarised ? 2 : 1),
      .values = {},
      .targets = polarised ? std::vector<std::string>{"l_p_E", "l_p_B"} : std::vector<std::string>{"l_p"},
      .target_values = {}};
  SphereSamples samples = fields.samples(options.part, options.maps, sky);
  const Real* values = samples.maps.data();
  set.values.assign(values, values + samples.maps.size());
  set.target_values = std::move(samples.targets);
  return set;
}

}  // namespace tarn
