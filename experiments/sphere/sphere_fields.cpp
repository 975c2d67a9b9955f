#include "tarn/experiments/sphere/sphere_fields.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/field_bounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr double degree = std::numbers::pi / 180;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

SphereFields::SphereFields(SphereTask task, const FieldRecipe& options, double noise,
                           std::optional<TauSpectra> spectra)
    : task_(task),
      options_(options),
      noise_(noise),
      spectra_(std::move(spectra)),
      transform_(healpix::Grid(options.nside, "data.nside"), healpix::Ordering::nest, options.degrees()),
      smoothing_(field_smoothing(options)),
      rng_(Rng(static_cast<std::uint64_t>(options.seed)).split("fields")) {
  if (!spectra_) return;
  if (options.degrees() > spectra_->lmax()) {
    throw ConfigError(fmt::format("data.lmax: spectra up to l = {} for tau; expected at most {}",
                                  options.degrees(), spectra_->lmax()));
  }
  if (options.low < spectra_->low() || options.high > spectra_->high()) {
    throw ConfigError(
        fmt::format("data.low, data.high: got {} and {}; expected tau from {} to {}, for which "
                    "there are spectra",
                    options.low, options.high, spectra_->low(), spectra_->high()));
  }
}

std::vector<double> SphereFields::targets(std::string_view part, Size map) const {
  const Rng stream = rng(part).split("targets").split(static_cast<std::uint64_t>(map));
  std::vector<double> result;
  for (Size t = 0; t < num_targets(); ++t) {
    result.push_back(options_.low +
                     (options_.high - options_.low) * stream.uniform(static_cast<std::uint64_t>(t)));
  }
  return result;
}

std::vector<double> SphereFields::power(double value) const {
  std::vector<double> cl =
      spectra_
          ? spectra_->values(value, lmax())
          : healpix::PeakSpectrum{.l_p = value, .sigma_p = options_.sigma_p, .floor = options_.floor}.values(
                lmax());
  for (std::size_t l = 0; l < cl.size(); ++l) cl[l] *= smoothing_[l] * smoothing_[l];
  return cl;
}

std::vector<double> SphereFields::slope(double value) const {
  std::vector<double> result;
  if (spectra_) {
    result = spectra_->slopes(value, lmax());
  } else {
    const healpix::PeakSpectrum spectrum{.l_p = value, .sigma_p = options_.sigma_p, .floor = options_.floor};
    for (Size l = 0; l <= lmax(); ++l) result.push_back(spectrum.slope(l));
  }
  for (std::size_t l = 0; l < result.size(); ++l) result[l] *= smoothing_[l] * smoothing_[l];
  return result;
}

double SphereFields::noise_deviation(std::span<const double> targets) const {
  if (noise_ == 0) return 0;
  if (task_ == SphereTask::tau) return noise_ / pixel_arcmin(transform_.grid());
  double variance = 0;
  for (const double target : targets) variance += healpix::field_variance(power(target));
  // Each of Q and U has half the power of E and B together.
  return noise_ * std::sqrt(polarised() ? variance / 2 : variance);
}

std::vector<double> SphereFields::total_power(double value) const {
  std::vector<double> cl = power(value);
  // The other spectrum of a polarised field is not known here; its power stands at its mean.
  const std::vector<double> targets = task_ == SphereTask::eb
                                          ? std::vector<double>{value, (options_.low + options_.high) / 2}
                                          : std::vector<double>{value};
  const double noise = healpix::noise_power(transform_.grid(), noise_deviation(targets));
  for (double& c : cl) c += noise;
  return cl;
}

SphereFields::Search SphereFields::search() const {
  const double width = options_.high - options_.low;
  if (spectra_) {
    return {std::max(spectra_->low(), options_.low - width / 2),
            std::min(spectra_->high(), options_.high + width / 2), width / 40};
  }
  return {std::max(1.0, options_.low - width / 5), options_.high + width / 5, std::min(0.25, width / 20)};
}

std::vector<healpix::Coefficients> SphereFields::draw(std::string_view part, Size map,
                                                      std::span<const double> targets) const {
  std::vector<healpix::Coefficients> result;
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const Rng stream = rng(part).split("normals").split(static_cast<std::uint64_t>(t));
    result.push_back(healpix::gaussian_coefficients(
        power(targets[t]), healpix::harmonic_normals(stream, static_cast<std::uint64_t>(map), lmax())));
  }
  return result;
}

std::vector<healpix::Coefficients> SphereFields::coefficients(std::string_view part, Size map) const {
  return draw(part, map, targets(part, map));
}

FieldMaps SphereFields::synthesise(const std::vector<healpix::Coefficients>& alm) const {
  if (!polarised()) return {transform_.synthesis(alm[0])};
  const healpix::Coefficients none(alm[0].size());
  healpix::HarmonicTransform::Stokes maps =
      transform_.polarised_synthesis(alm[0], alm.size() > 1 ? alm[1] : none);
  return {std::move(maps.q), std::move(maps.u)};
}

FieldMaps SphereFields::signal(std::string_view part, Size map, std::span<const double> targets) const {
  return synthesise(draw(part, map, targets));
}

FieldMaps SphereFields::maps(std::string_view part, Size map) const {
  const std::vector<double> own = targets(part, map);
  FieldMaps result = signal(part, map, own);
  const double deviation = noise_deviation(own);
  const Rng stream = rng(part).split("noise").split(static_cast<std::uint64_t>(map));
  for (std::size_t c = 0; c < result.size(); ++c) {
    healpix::add_white_noise(result[c], deviation, stream.split(static_cast<std::uint64_t>(c)));
  }
  return result;
}

SphereSamples SphereFields::samples(std::string_view part, Size count, const healpix::Sky& sky) const {
  const Size pixels = sky.size(), channels = this->channels();
  SphereSamples result{.maps = Tensor({count, pixels, channels})};
  result.targets.resize(at(count * num_targets()));
  for_jobs(count, [&](Size i) {
    const FieldMaps full = maps(part, i);
    Real* const to = result.maps.data() + i * pixels * channels;
    for (Size row = 0; row < pixels; ++row) {
      for (Size c = 0; c < channels; ++c) {
        to[row * channels + c] = static_cast<Real>(full[at(c)][at(sky.pixel(row))]);
      }
    }
    const std::vector<double> own = targets(part, i);
    std::copy(own.begin(), own.end(), result.targets.begin() + i * num_targets());
  });
  return result;
}

std::vector<double> field_smoothing(const FieldRecipe& options) {
  const Size degrees = options.degrees();
  std::vector<double> result = healpix::gaussian_beam(options.beam * degree, degrees);
  const std::vector<double>& window = options.pixel_window;
  if (window.empty()) return result;
  if (static_cast<Size>(window.size()) <= degrees) {
    throw ConfigError(
        fmt::format("data.pixel_window: got {} factors; expected at least {}, for degrees 0 to {}",
                    window.size(), degrees + 1, degrees));
  }
  for (std::size_t l = 0; l < result.size(); ++l) result[l] *= window[l];
  return result;
}

healpix::Sky field_sky(const FieldRecipe& options, double f_sky) {
  const healpix::Grid grid(options.nside, "data.nside");
  if (f_sky == 1) return healpix::Sky(grid);
  return options.mask == SkyMask::cap ? healpix::mask_cap(grid, healpix::Ordering::nest, f_sky)
                                      : healpix::mask_band(grid, healpix::Ordering::nest, f_sky);
}

double pixel_arcmin(const healpix::Grid& grid) {
  const double area = 4 * std::numbers::pi / static_cast<double>(grid.num_pixels());
  return std::sqrt(area) / degree * 60;
}

}  // namespace tarn
