#pragma once

#include "tarn/graph/healpix/sky.hpp"

#include <functional>
#include <span>
#include <vector>

namespace tarn::healpix {

/// How well a parameter of a Gaussian field's spectrum can be read off a map, and two estimates that do so:
/// what a network on such maps is held against.

/// C_l of a value of the parameter, noise and beam included: [lmax + 1].
using SpectrumOf = std::function<std::vector<double>(double value)>;

/// F = f_sky sum over l >= 2 of (2 l + 1) / 2 (slope_l / C_l)^2, with the power C_l of signal and noise and
/// slope_l its derivative: no unbiased estimate has a deviation below 1 / sqrt(F). For a partial sky the
/// factor f_sky is an approximation. Degrees without power are left out. Throws ShapeError for lists of
/// different length, ValueError for f_sky outside (0, 1].
[[nodiscard]] double fisher_information(std::span<const double> power, std::span<const double> slope,
                                        double f_sky = 1);

/// C_l of white noise of this deviation per pixel: its square times 4 pi / P.
[[nodiscard]] double noise_power(const Grid& grid, double deviation);

/// Values from low to high in steps of at most `step`, both ends included.
[[nodiscard]] std::vector<double> parameter_grid(double low, double high, double step);

/// The value that makes an observed spectrum of a full sky most likely: -2 ln L = sum over l >= 2 of (2 l +
/// 1) (observed_l / C_l + ln C_l). The best of `grid`, then a golden section between its neighbours. Degrees
/// without power at the first value of the grid are left out.
class SpectrumEstimator {
 public:
  /// Throws ValueError for a grid of less than three rising values.
  SpectrumEstimator(std::vector<double> grid, SpectrumOf spectrum);
  /// Throws ShapeError for a spectrum of other degrees.
  [[nodiscard]] double operator()(std::span<const double> observed) const;

 private:
  [[nodiscard]] double badness(std::span<const double> observed, std::span<const double> power) const;

  std::vector<double> grid_;
  SpectrumOf spectrum_;
  std::vector<std::vector<double>> powers_;  ///< of the grid
  std::vector<bool> used_;
};

/// The value that makes the pixels of a partial sky most likely: their covariance is S(theta) = sum of (2 l +
/// 1) / 4 pi C_l P_l(cos theta), with the noise's and 1e-8 more on the diagonal. The best of the grid and the
/// top of a parabola through it and its neighbours. Time O(n^3 + n^2 m) a value for n pixels and m maps;
/// memory O(n^2) a thread.
class PixelEstimator {
 public:
  /// `signal` gives C_l without noise, `noise_variance` what a pixel has of it. Throws ValueError for a grid
  /// of less than three rising values.
  PixelEstimator(const Sky& sky, std::vector<double> grid, SpectrumOf signal,
                 std::function<double(double value)> noise_variance);
  /// maps [m, n] row-major -> [m]. The same bits for any number of threads. Throws ShapeError unless whole
  /// maps are given, ValueError where a covariance is not positive.
  [[nodiscard]] std::vector<double> operator()(std::span<const double> maps) const;

 private:
  [[nodiscard]] std::vector<double> log_likelihoods(double value, std::span<const double> maps) const;

  Sky sky_;
  std::vector<double> grid_;
  SpectrumOf signal_;
  std::function<double(double value)> noise_variance_;
};

}  // namespace tarn::healpix
