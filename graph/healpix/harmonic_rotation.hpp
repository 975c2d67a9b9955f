#pragma once

#include "tarn/graph/healpix/harmonics.hpp"
#include "tarn/graph/healpix/rotation.hpp"

namespace tarn::healpix {

/// Coefficients of the turned field g(v) = f(R^T v): a'_lm = sum over m' of D^l_mm'(R) a_lm', without loss at
/// any degree.
///
/// With R = Z(alpha) Y(beta) Z(gamma), D^l_mm' = exp(-i m alpha) d^l_mm'(beta) exp(-i m' gamma); d^l comes
/// from d^(l-1/2) by coupling a spin of 1/2, which is stable (Risbo 1996, J. Geodesy 70, 383). alm as
/// `HarmonicIndex` orders them, of a real field. Throws ShapeError unless they fill the degrees up to lmax.
/// Time O(lmax^3), memory O(lmax^2).
[[nodiscard]] Coefficients rotate_coefficients(std::span<const std::complex<double>> alm, Size lmax,
                                               const Rotation& rotation);

}  // namespace tarn::healpix
