#include "tarn/graph/healpix/gaussian_field.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

void require_not_negative(const char* name, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw ValueError(
      fmt::format("healpix-gaussian-field.{}: got {}; expected a finite number of at least 0", name, value));
}

}  // namespace

double PeakSpectrum::operator()(Size l) const {
  if (l < lmin) return 0;
  const double x = (static_cast<double>(l) - l_p) / sigma_p;
  return std::exp(-x * x / 2) + floor;
}

double PeakSpectrum::slope(Size l) const {
  if (l < lmin) return 0;
  const double x = (static_cast<double>(l) - l_p) / sigma_p;
  return std::exp(-x * x / 2) * x / sigma_p;
}

std::vector<double> PeakSpectrum::values(Size lmax) const {
  if (!(sigma_p > 0 && std::isfinite(sigma_p))) {
    throw ValueError(
        fmt::format("healpix-gaussian-field.sigma_p: got {}; expected a finite number above 0", sigma_p));
  }
  require_not_negative("floor", floor);
  require_not_negative("lmin", static_cast<double>(lmin));
  if (!std::isfinite(l_p)) {
    throw ValueError(fmt::format("healpix-gaussian-field.l_p: got {}; expected a finite number", l_p));
  }
  std::vector<double> cl;
  for (Size l = 0; l <= lmax; ++l) cl.push_back((*this)(l));
  return cl;
}

std::vector<double> gaussian_beam(double fwhm, Size lmax) {
  require_not_negative("fwhm", fwhm);
  const double s = fwhm / std::sqrt(8 * std::numbers::ln2);
  std::vector<double> beam;
  for (Size l = 0; l <= lmax; ++l)
    beam.push_back(std::exp(-static_cast<double>(l) * static_cast<double>(l + 1) * s * s / 2));
  return beam;
}

HarmonicNormals harmonic_normals(const Rng& rng, std::uint64_t number, Size lmax) {
  const Rng stream = rng.split(number);
  const Size count = HarmonicIndex{lmax}.count();
  HarmonicNormals normals;
  for (Size k = 0; k < count; ++k) {
    normals.re.push_back(stream.normal(static_cast<std::uint64_t>(2 * k)));
    normals.im.push_back(stream.normal(static_cast<std::uint64_t>(2 * k + 1)));
  }
  return normals;
}

Coefficients gaussian_coefficients(std::span<const double> cl, const HarmonicNormals& normals) {
  const HarmonicIndex index{static_cast<Size>(cl.size()) - 1};
  if (cl.empty() || static_cast<Size>(normals.re.size()) != index.count() ||
      normals.im.size() != normals.re.size()) {
    throw ShapeError(fmt::format("healpix-gaussian-field: {} and {} normals; expected {} each for {} degrees",
                                 normals.re.size(), normals.im.size(), cl.empty() ? 0 : index.count(),
                                 cl.size()));
  }
  Coefficients alm(normals.re.size());
  for (Size l = 0; l <= index.lmax; ++l) {
    if (!(cl[at(l)] >= 0)) {
      throw ValueError(fmt::format(
          "healpix-gaussian-field.spectrum: C_l is {} at l = {}; expected at least 0", cl[at(l)], l));
    }
    alm[at(index(l, 0))] = std::sqrt(cl[at(l)]) * normals.re[at(index(l, 0))];
    const double half = std::sqrt(cl[at(l)] / 2);
    for (Size m = 1; m <= l; ++m) {
      const std::size_t k = at(index(l, m));
      alm[k] = {half * normals.re[k], half * normals.im[k]};
    }
  }
  return alm;
}

void smooth(Coefficients& alm, std::span<const double> f) {
  const HarmonicIndex index{static_cast<Size>(f.size()) - 1};
  if (f.empty() || static_cast<Size>(alm.size()) != index.count()) {
    throw ShapeError(
        fmt::format("healpix-gaussian-field: {} coefficients and factors for {} degrees; expected "
                    "{} coefficients",
                    alm.size(), f.size(), f.empty() ? 0 : index.count()));
  }
  for (Size l = 0; l <= index.lmax; ++l) {
    for (Size m = 0; m <= l; ++m) alm[at(index(l, m))] *= f[at(l)];
  }
}

double field_variance(std::span<const double> cl) {
  double sum = 0;
  for (std::size_t l = 0; l < cl.size(); ++l) sum += (2 * static_cast<double>(l) + 1) * cl[l];
  return sum / (4 * std::numbers::pi);
}

void add_white_noise(std::span<double> map, double deviation, const Rng& rng) {
  require_not_negative("noise", deviation);
  if (deviation == 0) return;
  for (std::size_t p = 0; p < map.size(); ++p) map[p] += deviation * rng.normal(p);
}

}  // namespace tarn::healpix
