#pragma once

#include "tarn/experiments/sphere/sphere_fields.hpp"

#include <string>
#include <vector>

namespace tarn {

/// What stands beside the networks of a field: `fisher` (no estimate but the bound), `spectrum-likelihood`
/// (most likely parameters of the spectrum that the analysis of the map gives after ten iterations),
/// `exact-likelihood` (of that of the coefficients themselves), `pixel-likelihood` (of the pixels of a
/// partial sky).

/// Whether a baseline can be had: the likelihoods of spectra ask for the full sky, the exact one for maps
/// without noise, that of pixels for at most `most_pixels` pixels of one temperature on a partial sky.
[[nodiscard]] bool has_baseline(const std::string& name, SphereTask task, double f_sky, double noise,
                                Size pixels);
inline constexpr Size most_pixels = 2000;

/// Deviation that no unbiased estimate of a map's parameters falls below, one per parameter.
[[nodiscard]] std::vector<double> fisher_deviations(const SphereFields& fields,
                                                    std::span<const double> targets, double f_sky);

/// Estimates of the first `count` test maps, [count, T] row-major. Throws ValueError for `fisher`.
[[nodiscard]] std::vector<double> baseline_estimates(const std::string& name, const SphereFields& fields,
                                                     const healpix::Sky& sky, Size count);

/// Metrics of a baseline on the test maps: those of the networks; for `fisher` the least percent_error, mae
/// and rmse of an unbiased Gaussian estimate.
[[nodiscard]] MetricSet baseline_metrics(const std::string& name, const SphereFields& fields,
                                         const healpix::Sky& sky, Size count);

}  // namespace tarn
