#pragma once

#include "tarn/graph/healpix/fft.hpp"
#include "tarn/graph/healpix/legendre.hpp"

#include <complex>
#include <memory>
#include <span>
#include <vector>

namespace tarn::healpix {

using Coefficients = std::vector<std::complex<double>>;

/// Spherical harmonic transforms of real maps at one resolution and up to one degree. Double precision.
///
/// Coefficients a_lm, m >= 0, as HarmonicIndex orders them, with the Condon-Shortley phase and orthonormal
/// functions: f = sum a_l0 Y_l0 + 2 Re sum over m > 0 of a_lm Y_lm. Imaginary parts of a_l0 are ignored. Maps
/// hold one number per pixel. Immutable; tables of O(lmax^2 + nside^2) numbers. Time O(nside lmax^2) a map,
/// in parallel over degrees and rings. The same bits for any number of threads.
class HarmonicTransform {
 public:
  /// mmax = lmax. Throws ValueError for a negative lmax.
  HarmonicTransform(const Grid& grid, Ordering ordering, Size lmax);

  [[nodiscard]] const Grid& grid() const { return grid_; }
  [[nodiscard]] Ordering ordering() const { return ordering_; }
  [[nodiscard]] Size lmax() const { return legendre_.lmax(); }
  [[nodiscard]] HarmonicIndex index() const { return {lmax()}; }

  /// `healpix-alm2map`. Throws ShapeError unless there are index().count() coefficients.
  [[nodiscard]] std::vector<double> synthesis(std::span<const std::complex<double>> alm) const;

  struct Stokes {
    std::vector<double> q, u;
  };
  /// `healpix-alm2map-pol`: Q +- i U = - sum (a^E_lm +- i a^B_lm) spin +-2 harmonics, l >= 2, with HEALPix'
  /// sign of U. Throws as `synthesis` does.
  [[nodiscard]] Stokes polarised_synthesis(std::span<const std::complex<double>> e,
                                           std::span<const std::complex<double>> b) const;

  /// `healpix-map2alm`: a = A f with (A f)_lm = 4 pi / P sum over pixels of f conj(Y_lm), then `iterations`
  /// times a += A (f - S a). Throws ShapeError unless the map has a number per pixel, ValueError for negative
  /// iterations.
  [[nodiscard]] Coefficients analysis(std::span<const double> map, Size iterations = 3) const;

  struct Modes {
    Coefficients e, b;
  };
  /// The same for Stokes parameters: a^E = A (Q F + i U G) and a^B = A (U F - i Q G) with the sign of
  /// `polarised_synthesis`, then `iterations` times the analysis of what the synthesis leaves. Throws as
  /// `analysis` does.
  [[nodiscard]] Modes polarised_analysis(std::span<const double> q, std::span<const double> u,
                                         Size iterations = 3) const;

 private:
  struct RingSums;
  [[nodiscard]] std::vector<double> rings_to_map(const RingSums& sums) const;
  [[nodiscard]] RingSums ring_sums(std::span<const double> ring_map) const;
  [[nodiscard]] Coefficients adjoint(std::span<const double> ring_map) const;
  [[nodiscard]] Modes polarised_adjoint(std::span<const double> q, std::span<const double> u) const;
  [[nodiscard]] Stokes polarised_rings(std::span<const std::complex<double>> e,
                                       std::span<const std::complex<double>> b) const;
  void require_analysis(const char* where, std::size_t pixels, Size iterations) const;
  template <class F>
  void for_orders(F f) const;
  void require_coefficients(const char* where, std::size_t count) const;
  [[nodiscard]] std::vector<double> to_ring(std::span<const double> map) const;
  [[nodiscard]] std::vector<double> from_ring(std::vector<double> ring_map) const;
  [[nodiscard]] std::vector<double> ring_synthesis(std::span<const std::complex<double>> alm) const;
  /// exp(i m phi) of the first pixel of a ring, and of that of its mirror image.
  [[nodiscard]] std::complex<double> phase(Size ring, Size m) const {
    return phases_[static_cast<std::size_t>((ring - 1) * (lmax() + 1) + m)];
  }

  Grid grid_;
  Ordering ordering_;
  Legendre legendre_;
  std::vector<Fourier> fourier_;  ///< of the rings with 4, 8, ... 4 nside pixels
  std::vector<std::complex<double>> phases_;
  std::vector<Size> ring_number_;  ///< of each pixel in the own ordering; empty for RING
};

/// Mean square over m: C_l = (|a_l0|^2 + 2 sum over m > 0 of |a_lm|^2) / (2 l + 1), [lmax + 1].
[[nodiscard]] std::vector<double> power_spectrum(std::span<const std::complex<double>> alm, Size lmax);

}  // namespace tarn::healpix
