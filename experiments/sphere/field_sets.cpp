#include "tarn/experiments/sphere/field_sets.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/sphere/sphere_fields.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

SphereFieldDataOptions data_options(const FieldSetOptions& o) {
  SphereFieldDataOptions data;
  data.nside = o.nside;
  data.lmax = o.lmax;
  data.f_sky = {o.f_sky};
  data.mask = o.mask;
  data.noise = {o.noise};
  data.beam = o.beam;
  data.pixel_window = o.pixel_window;
  data.low = o.low;
  data.high = o.high;
  data.sigma_p = o.sigma_p;
  data.floor = o.floor;
  data.seed = o.seed;
  return data;
}

}  // namespace

void FieldSetOptions::fields(Fields& f) {
  f("kind", kind, "peak: a temperature; eb: Q and U");
  f("maps", maps, at_least(1), "how many");
  f("nside", nside, at_least(1), "resolution, a power of two");
  f("lmax", lmax, at_least(2), "highest degree; null: 3 nside - 1");
  f("low", low, at_least(1), "lowest l_p, where the spectrum peaks; drawn uniformly for each map");
  f("high", high, at_least(1), "highest");
  f("sigma_p", sigma_p, above(0), "width of the peak");
  f("floor", floor, at_least(0), "power below the peak");
  f("noise", noise, at_least(0), "white noise, times the deviation of the signal");
  f("beam", beam, at_least(0), "full width at half maximum of a Gaussian beam, degrees");
  f("pixel_window", pixel_window, at_least(0), "factors at degrees 0, 1, ... lmax; empty: none");
  f("f_sky", f_sky, Bounds{.low = 0, .high = 1, .low_open = true}, "share of the sky that is kept");
  f("mask", mask, "which part is kept: a polar cap, or both caps without a band at the equator");
  f("part", part, "name of the random stream: maps of different parts are independent");
  f("seed", seed, at_least(0), "of the fields");
}

SkyMaps generate_fields(const FieldSetOptions& options) {
  if (options.low > options.high) {
    throw ConfigError(fmt::format("generate fields.low: got {} with high = {}; expected no more", options.low,
                                  options.high));
  }
  const bool polarised = options.kind == FieldKind::eb;
  const SphereFieldDataOptions data = data_options(options);
  const SphereFields fields(polarised ? SphereTask::eb : SphereTask::peak, data, options.noise, std::nullopt);
  const healpix::Sky sky = field_sky(data, options.f_sky);
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
