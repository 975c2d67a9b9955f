#pragma once

#include "tarn/experiments/sphere/sphere_options.hpp"
#include "tarn/experiments/sphere/tau_spectra.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"

#include <optional>
#include <string_view>

namespace tarn {

/// A map before any mask: Stokes parameters Q and U, or one temperature, on the full sky in NEST order.
using FieldMaps = std::vector<std::vector<double>>;

/// Gaussian fields whose spectra hang on parameters drawn anew for each map: `peak` l_p of the temperature,
/// `eb` l_p of E and of B, `tau` the optical depth (E alone). Everything about map i of a part depends on the
/// seed, the part's name and i alone.
class SphereFields {
 public:
  /// `noise`: times the deviation of the map's signal, or for tau muK arcmin. Throws ValueError for degrees
  /// that the spectra of tau have not, ConfigError for a range of tau beyond them and for a pixel window of
  /// fewer degrees.
  SphereFields(SphereTask task, const FieldRecipe& options, double noise, std::optional<TauSpectra> spectra);

  [[nodiscard]] Size channels() const { return polarised() ? 2 : 1; }
  [[nodiscard]] Size num_targets() const { return task_ == SphereTask::eb ? 2 : 1; }
  [[nodiscard]] const healpix::HarmonicTransform& transform() const { return transform_; }
  [[nodiscard]] Size lmax() const { return transform_.lmax(); }
  [[nodiscard]] double low() const { return options_.low; }
  [[nodiscard]] double high() const { return options_.high; }

  /// The parameters of a map, uniform in low .. high.
  [[nodiscard]] std::vector<double> targets(std::string_view part, Size map) const;
  /// Coefficients of its signal, one list per spectrum, beam and pixel window included.
  [[nodiscard]] std::vector<healpix::Coefficients> coefficients(std::string_view part, Size map) const;
  /// Its signal if the parameters were others, from the same random numbers.
  [[nodiscard]] FieldMaps signal(std::string_view part, Size map, std::span<const double> targets) const;
  /// Signal and noise.
  [[nodiscard]] FieldMaps maps(std::string_view part, Size map) const;
  /// The first `count` maps of a part on a sky, made in parallel.
  [[nodiscard]] SphereSamples samples(std::string_view part, Size count, const healpix::Sky& sky) const;

  // === Spectra, beam and pixel window included
  /// Of the signal at a parameter, and its derivative.
  [[nodiscard]] std::vector<double> power(double value) const;
  [[nodiscard]] std::vector<double> slope(double value) const;
  /// Deviation of the noise of a pixel in a map with these parameters.
  [[nodiscard]] double noise_deviation(std::span<const double> targets) const;
  /// `power` and the noise's.
  [[nodiscard]] std::vector<double> total_power(double value) const;
  /// Range in which estimates are looked for, wider than that of the maps, and its step.
  struct Search {
    double low, high, step;
  };
  [[nodiscard]] Search search() const;

 private:
  [[nodiscard]] bool polarised() const { return task_ != SphereTask::peak; }
  [[nodiscard]] Rng rng(std::string_view part) const { return rng_.split(part); }
  [[nodiscard]] std::vector<healpix::Coefficients> draw(std::string_view part, Size map,
                                                        std::span<const double> targets) const;
  [[nodiscard]] FieldMaps synthesise(const std::vector<healpix::Coefficients>& alm) const;

  SphereTask task_;
  FieldRecipe options_;
  double noise_;
  std::optional<TauSpectra> spectra_;
  healpix::HarmonicTransform transform_;
  std::vector<double> smoothing_;  ///< beam and pixel window
  Rng rng_;
};

/// What beam and pixel window leave of a coefficient of degree l: [lmax + 1]. Throws ConfigError for a window
/// of fewer degrees.
[[nodiscard]] std::vector<double> field_smoothing(const FieldRecipe& options);

/// The part of the sky that is kept.
[[nodiscard]] healpix::Sky field_sky(const FieldRecipe& options, double f_sky);

/// Arc minutes along a side of a pixel: noise in muK arcmin divided by it is that of a pixel.
[[nodiscard]] double pixel_arcmin(const healpix::Grid& grid);

}  // namespace tarn
