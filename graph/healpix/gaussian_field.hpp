#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/graph/healpix/harmonics.hpp"

#include <optional>

namespace tarn::healpix {

/// A power spectrum with one peak: C_l = exp(-(l - l_p)^2 / (2 sigma_p^2)) + floor for l >= lmin, 0 below.
struct PeakSpectrum {
  double l_p = 10;
  double sigma_p = 5;
  double floor = 1e-5;
  Size lmin = 2;

  [[nodiscard]] double operator()(Size l) const;
  /// dC_l / dl_p.
  [[nodiscard]] double slope(Size l) const;
  /// [lmax + 1]. Throws ValueError unless sigma_p > 0, floor >= 0, lmin >= 0.
  [[nodiscard]] std::vector<double> values(Size lmax) const;
};

/// b_l = exp(-l (l + 1) s^2 / 2) of a Gaussian beam of full width `fwhm` radians at half maximum,
/// s = fwhm / sqrt(8 ln 2): [lmax + 1]. Throws ValueError for a negative width.
[[nodiscard]] std::vector<double> gaussian_beam(double fwhm, Size lmax);

/// Two standard normals for each coefficient.
struct HarmonicNormals {
  std::vector<double> re, im;
};
/// Those of map `number` of a stream: they depend on nothing but the stream and the number.
[[nodiscard]] HarmonicNormals harmonic_normals(const Rng& rng, std::uint64_t number, Size lmax);

/// a_l0 = sqrt(C_l) n_re, a_lm = sqrt(C_l / 2) (n_re + i n_im); n_im of m = 0 is not used. Throws ShapeError
/// unless the normals match the spectrum's degrees, ValueError for a negative C_l.
[[nodiscard]] Coefficients gaussian_coefficients(std::span<const double> cl, const HarmonicNormals& normals);

/// Multiplies a_lm by f_l: beams, pixel windows.
void smooth(Coefficients& alm, std::span<const double> f);

/// Variance of a pixel of a field with this spectrum: sum of (2 l + 1) C_l / 4 pi.
[[nodiscard]] double field_variance(std::span<const double> cl);

/// Adds to each pixel an independent normal of this deviation. Throws ValueError for a negative one.
void add_white_noise(std::span<double> map, double deviation, const Rng& rng);

}  // namespace tarn::healpix
