#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/field_bounds.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <numbers>
#include <numeric>

using namespace tarn;
using namespace tarn::healpix;

namespace {

constexpr double pi = std::numbers::pi;
constexpr Size nside = 4, lmax = 11;

std::vector<double> peak(double l_p, double noise = 0) {
  std::vector<double> cl = PeakSpectrum{.l_p = l_p, .sigma_p = 3}.values(lmax);
  for (double& c : cl) c += noise;
  return cl;
}

std::vector<double> slope(double l_p) {
  std::vector<double> result;
  for (Size l = 0; l <= lmax; ++l) result.push_back(PeakSpectrum{.l_p = l_p, .sigma_p = 3}.slope(l));
  return result;
}

double rms(std::span<const double> values, double truth) {
  double squares = 0;
  for (const double v : values) squares += (v - truth) * (v - truth);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

Coefficients field(double l_p, std::uint64_t number) {
  return gaussian_coefficients(peak(l_p), harmonic_normals(Rng(5), number, lmax));
}

}  // namespace

TEST_CASE("the Fisher bound of the peak is the published recipe's", "[healpix][bounds]") {
  // nside 16, sigma_p 5, l <= 47, full sky: 0.082, 0.074, 0.067, 0.061 at l_p = 5, 10, 15, 20.
  const std::vector<std::pair<double, double>> known = {{5, 0.082}, {10, 0.074}, {15, 0.067}, {20, 0.061}};
  for (const auto& [l_p, sigma] : known) {
    const PeakSpectrum spectrum{.l_p = l_p};
    std::vector<double> slopes;
    for (Size l = 0; l <= 47; ++l) slopes.push_back(spectrum.slope(l));
    CHECK(1 / std::sqrt(fisher_information(spectrum.values(47), slopes)) == Approx(sigma).margin(6e-4));
    CHECK(fisher_information(spectrum.values(47), slopes, 0.25) ==
          Approx(fisher_information(spectrum.values(47), slopes) / 4));
  }
  CHECK(fisher_information(std::vector<double>(5), std::vector<double>(5, 1.0)) == 0);
}

TEST_CASE("white noise has the power of its variance", "[healpix][bounds]") {
  const Grid grid(nside);
  const HarmonicTransform transform(grid, Ordering::nest, lmax);
  double power = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    std::vector<double> map(static_cast<std::size_t>(grid.num_pixels()));
    add_white_noise(map, 0.7, Rng(i));
    const std::vector<double> cl = power_spectrum(transform.analysis(map, 3), lmax);
    for (std::size_t l = 2; l < 8; ++l) power += cl[l] / 600;
  }
  CHECK(power == Approx(noise_power(grid, 0.7)).epsilon(0.05));
}

TEST_CASE("the likelihood of the spectrum reaches the Fisher bound", "[healpix][bounds]") {
  const SpectrumEstimator estimator(parameter_grid(3, 9, 0.25), [](double v) { return peak(v); });
  std::vector<double> estimates;
  for (std::uint64_t i = 0; i < 300; ++i) {
    estimates.push_back(estimator(power_spectrum(field(6, i), lmax)));
  }
  const double bound = 1 / std::sqrt(fisher_information(peak(6), slope(6)));
  CHECK(std::accumulate(estimates.begin(), estimates.end(), 0.0) / 300 == Approx(6).margin(0.05));
  CHECK(rms(estimates, 6) > 0.85 * bound);
  CHECK(rms(estimates, 6) < 1.3 * bound);
  // The mean spectrum itself is most likely at its own value.
  CHECK(estimator(peak(5.123)) == Approx(5.123).margin(1e-4));
}

TEST_CASE("the likelihood of pixels finds the peak on a part of the sky", "[healpix][bounds]") {
  const Sky sky = mask_cap(Grid(nside), Ordering::nest, 0.5);
  const HarmonicTransform transform(sky.grid(), Ordering::nest, lmax);
  std::vector<double> maps;
  constexpr int count = 100;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::vector<double> map = transform.synthesis(field(6, i));
    for (Size row = 0; row < sky.size(); ++row) {
      maps.push_back(map[static_cast<std::size_t>(sky.pixel(row))]);
    }
  }
  const PixelEstimator estimator(
      sky, parameter_grid(4, 8, 0.25), [](double v) { return peak(v); }, [](double) { return 0.0; });
  const std::vector<double> estimates = estimator(maps);
  REQUIRE(estimates.size() == count);
  const double bound = 1 / std::sqrt(fisher_information(peak(6), slope(6), sky.fraction()));
  CHECK(rms(estimates, 6) < 1.5 * bound);
  const Threads one(1);
  CHECK(estimator(maps) == estimates);
}

TEST_CASE("the covariance of pixels is that of the field", "[healpix][bounds]") {
  // Two pixels: their likelihood in closed form, by the sum of Legendre polynomials.
  const Grid grid(2);
  const Sky sky(grid, Ordering::nest, {3, 17});
  const std::vector<double> map = {0.3, -0.2};
  const auto covariance = [&](double v) {
    const Vector a = grid.vector(3, Ordering::nest), b = grid.vector(17, Ordering::nest);
    const double z = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    double same = 0.01 + 1e-8, other = 0;
    const std::vector<double> cl = peak(v);
    for (std::size_t l = 0; l < cl.size(); ++l) {
      const double power = (2 * static_cast<double>(l) + 1) * cl[l] / (4 * pi);
      same += power;
      other += power * std::legendre(static_cast<unsigned>(l), z);
    }
    return std::pair{same, other};
  };
  const auto log_likelihood = [&](double v) {
    const auto [s, o] = covariance(v);
    const double det = s * s - o * o;
    return -((s * (map[0] * map[0] + map[1] * map[1]) - 2 * o * map[0] * map[1]) / det + std::log(det)) / 2;
  };
  const std::vector<double> values = parameter_grid(1, 11, 0.5);
  const PixelEstimator estimator(
      sky, values, [](double v) { return peak(v); }, [](double) { return 0.01; });
  double best = values[0];
  for (const double v : values) {
    if (log_likelihood(v) > log_likelihood(best)) best = v;
  }
  CHECK(estimator(map)[0] == Approx(best).margin(0.5));
}

TEST_CASE("E and B come back from the maps they make", "[healpix][harmonics]") {
  for (const Ordering ordering : {Ordering::ring, Ordering::nest}) {
    const HarmonicTransform transform(Grid(nside), ordering, lmax);
    Coefficients e = field(5, 1), b = field(8, 2);
    const auto [q, u] = transform.polarised_synthesis(e, b);
    const HarmonicTransform::Modes modes = transform.polarised_analysis(q, u, 30);
    double error_e = 0, error_b = 0, size = 0;
    for (std::size_t k = 0; k < e.size(); ++k) {
      error_e += std::norm(modes.e[k] - e[k]);
      error_b += std::norm(modes.b[k] - b[k]);
      size += std::norm(e[k]) + std::norm(b[k]);
    }
    CHECK(error_e < 1e-8 * size);
    CHECK(error_b < 1e-8 * size);
    const Threads one(1);
    CHECK(transform.polarised_analysis(q, u, 2).e == transform.polarised_analysis(q, u, 2).e);
  }
}

TEST_CASE("the polarised analysis is the adjoint of the synthesis", "[healpix][harmonics]") {
  const HarmonicTransform transform(Grid(2), Ordering::ring, 5);
  const auto some = [](std::uint64_t seed) {
    Coefficients a(static_cast<std::size_t>(HarmonicIndex{5}.count()));
    for (std::size_t k = 0; k < a.size(); ++k) a[k] = {Rng(seed).normal(2 * k), Rng(seed).normal(2 * k + 1)};
    for (std::size_t l = 0; l <= 5; ++l) a[l] = a[l].real();
    return a;
  };
  const Coefficients e = some(1), b = some(2);
  std::vector<double> q(48), u(48);
  for (std::size_t p = 0; p < 48; ++p) {
    q[p] = Rng(3).normal(p);
    u[p] = Rng(4).normal(p);
  }
  const auto maps = transform.polarised_synthesis(e, b);
  const auto modes = transform.polarised_analysis(q, u, 0);
  double left = 0, right = 0;
  for (std::size_t p = 0; p < 48; ++p) left += (maps.q[p] * q[p] + maps.u[p] * u[p]) * 4 * pi / 48;
  const HarmonicIndex index{5};
  for (Size l = 2; l <= 5; ++l) {
    for (Size m = 0; m <= l; ++m) {
      const auto k = static_cast<std::size_t>(index(l, m));
      const double weight = m == 0 ? 1 : 2;
      right += weight * (std::conj(modes.e[k]) * e[k] + std::conj(modes.b[k]) * b[k]).real();
    }
  }
  CHECK(left == Approx(right).epsilon(1e-10));
}

TEST_CASE("bounds refuse what they cannot use", "[healpix][bounds][errors]") {
  const std::vector<double> three(3, 1.0), four(4, 1.0);
  CHECK_THROWS_WITH(fisher_information(three, four),
                    "fisher: power of 3 degrees, slope of 4; expected as many");
  CHECK_THROWS_WITH(fisher_information(three, three, 0), "fisher.f_sky: got 0; expected a number in (0, 1]");
  CHECK_THROWS_WITH(parameter_grid(2, 1, 0.1), Catch::Contains("a grid from 2 to 1 in steps of 0.1"));
  const auto spectrum = [](double) { return std::vector<double>(4, 0.0); };
  CHECK_THROWS_WITH(SpectrumEstimator({1, 2}, spectrum), Catch::Contains("a grid of 2 values"));
  CHECK_THROWS_WITH(SpectrumEstimator({1, 3, 2}, spectrum), Catch::Contains("that do not rise"));
  CHECK_THROWS_WITH(SpectrumEstimator({1, 2, 3}, spectrum)(three),
                    "field estimate: a spectrum of 3 degrees; expected 4");
  const Sky sky(Grid(1));
  const PixelEstimator pixels(sky, {1, 2, 3}, spectrum, [](double) { return -1.0; });
  CHECK_THROWS_WITH(pixels(three), "pixel-likelihood: 3 numbers; expected whole maps of 12 pixels");
  CHECK_THROWS_WITH(pixels(std::vector<double>(12)), Catch::Contains("is not positive"));
  const HarmonicTransform transform(Grid(1), Ordering::nest, 2);
  CHECK_THROWS_WITH(transform.polarised_analysis(three, three, 0),
                    "healpix-map2alm-pol: map has 3 pixels; expected 12 at nside 1");
  const std::vector<double> map(12);
  CHECK_THROWS_WITH(transform.polarised_analysis(map, map, -1),
                    "healpix-map2alm-pol: -1 iterations; expected at least 0");
}
