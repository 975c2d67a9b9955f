#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <numbers>

using namespace tarn;
using namespace tarn::healpix;

namespace {

using Complex = std::complex<double>;
constexpr double pi = std::numbers::pi;

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

std::vector<Complex> random_numbers(Size n, std::uint64_t seed) {
  std::vector<Complex> v;
  for (Size i = 0; i < n; ++i)
    v.emplace_back(Rng(seed).normal(static_cast<std::uint64_t>(2 * i)),
                   Rng(seed).normal(static_cast<std::uint64_t>(2 * i + 1)));
  return v;
}

Coefficients random_alm(Size lmax, std::uint64_t seed) {
  Coefficients alm = random_numbers(HarmonicIndex{lmax}.count(), seed);
  for (Size l = 0; l <= lmax; ++l) alm[at(HarmonicIndex{lmax}(l, 0))].imag(0);
  return alm;
}

double worst(std::span<const Complex> a, std::span<const Complex> b) {
  REQUIRE(a.size() == b.size());
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a[i] - b[i]));
  return result;
}

double worst(std::span<const double> a, std::span<const double> b) {
  REQUIRE(a.size() == b.size());
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a[i] - b[i]));
  return result;
}

/// lambda_lm by the recurrence in extended precision, whose exponents reach 1e-4900.
double extended_legendre(Size l, Size m, double z, double s) {
  using Long = long double;
  Long here = 1 / std::sqrt(4 * std::numbers::pi_v<Long>), before = 0;
  for (Size k = 1; k <= m; ++k)
    here *= -std::sqrt(static_cast<Long>(2 * k + 1) / static_cast<Long>(2 * k)) * static_cast<Long>(s);
  const Long mm = static_cast<Long>(m * m);
  for (Size k = m + 1; k <= l; ++k) {
    const Long kk = static_cast<Long>(k * k), last = static_cast<Long>((k - 1) * (k - 1));
    const Long next = std::sqrt((4 * kk - 1) / (kk - mm)) *
                      (static_cast<Long>(z) * here - std::sqrt((last - mm) / (4 * last - 1)) * before);
    before = here;
    here = next;
  }
  return static_cast<double>(here);
}

double mean_square(std::span<const double> v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return sum / static_cast<double>(v.size());
}

}  // namespace

TEST_CASE("Fourier transforms of any length are sums of exponentials", "[healpix][fourier]") {
  for (const Size n : {1, 2, 3, 4, 5, 8, 12, 16, 28, 36, 44, 60, 64, 124, 148, 316, 508, 512, 37, 97, 1009}) {
    const Fourier transform(n);
    const std::vector<Complex> x = random_numbers(n, 1);
    std::vector<Complex> forward = x, backward = x, want(at(n)), inverse(at(n));
    transform.forward(forward);
    transform.backward(backward);
    for (Size j = 0; j < n; ++j) {
      for (Size k = 0; k < n; ++k) {
        const Complex root =
            std::polar(1.0, 2 * pi * static_cast<double>(j * k % n) / static_cast<double>(n));
        want[at(j)] += x[at(k)] * std::conj(root);
        inverse[at(j)] += x[at(k)] * root;
      }
    }
    INFO("length " << n);
    CHECK(worst(forward, want) < 1e-12 * static_cast<double>(n));
    CHECK(worst(backward, inverse) < 1e-12 * static_cast<double>(n));
  }
}

TEST_CASE("Legendre functions are those of the standard library", "[healpix][harmonics]") {
  const Grid grid(8);
  const Legendre legendre(grid, 40);
  double error = 0;
  for (Size m = 0; m <= 40; ++m) {
    for (Size block = 0; block < legendre.num_blocks(); ++block) {
      legendre.for_degrees(
          m, block, [&](Size l, const Legendre::Lanes& lambda, const Legendre::Lanes& before) {
            for (std::size_t i = 0; i < ring_lanes; ++i) {
              const double theta = grid.ring(block * ring_lanes + static_cast<Size>(i) + 1).theta();
              const auto ul = static_cast<unsigned>(l), um = static_cast<unsigned>(m);
              error = std::max(error, std::abs(lambda[i] - std::sph_legendre(ul, um, theta)));
              if (l > m) error = std::max(error, std::abs(before[i] - std::sph_legendre(ul - 1, um, theta)));
            }
          });
    }
  }
  CHECK(error < 1e-12);
}

TEST_CASE("Legendre functions keep their digits where they start far below the smallest double",
          "[healpix][harmonics]") {
  const Grid grid(1024);
  const Legendre legendre(grid, 4000);
  for (const Size m : {Size{800}, Size{2000}, Size{3500}}) {
    for (Size block = 0; block < legendre.num_blocks(); block += 31) {
      double error = 0, largest = 0;
      legendre.for_degrees(m, block, [&](Size l, const Legendre::Lanes& lambda, const Legendre::Lanes&) {
        for (const double v : lambda) {
          if (!std::isfinite(v)) error = HUGE_VAL;
          largest = std::max(largest, std::abs(v));
        }
        if (l % 500 != 0 && l != 4000) return;
        const Ring ring = grid.ring(block * ring_lanes + 1);
        error = std::max(error, std::abs(lambda[0] - extended_legendre(l, m, ring.z, ring.sin_theta)));
      });
      INFO("m " << m << " block " << block);
      CHECK(error < 1e-9);
      CHECK(largest < 20);
    }
  }
}

TEST_CASE("analysis undoes synthesis below twice nside", "[healpix][harmonics]") {
  for (const Ordering o : {Ordering::nest, Ordering::ring}) {
    for (const Size nside : {2, 16, 32}) {
      const Size lmax = 2 * nside - 1;
      const HarmonicTransform transform(Grid(nside), o, lmax);
      const Coefficients alm = random_alm(lmax, 2);
      const Coefficients back = transform.analysis(transform.synthesis(alm), 20);
      CHECK(worst(back, alm) < 1e-8);
    }
  }
}

TEST_CASE("a map in NEST order is the RING map reordered", "[healpix][harmonics]") {
  const Grid grid(8);
  const Coefficients alm = random_alm(23, 3);
  const std::vector<double> ring = HarmonicTransform(grid, Ordering::ring, 23).synthesis(alm);
  const std::vector<double> nest = HarmonicTransform(grid, Ordering::nest, 23).synthesis(alm);
  for (Size p = 0; p < grid.num_pixels(); ++p) CHECK(nest[at(p)] == ring[at(grid.nest_to_ring(p))]);
  CHECK(worst(HarmonicTransform(grid, Ordering::ring, 23).analysis(ring),
              HarmonicTransform(grid, Ordering::nest, 23).analysis(nest)) < 1e-14);
}

TEST_CASE("orders beyond the pixels of a ring fold back onto them", "[healpix][harmonics]") {
  const Grid grid(2);
  const Size lmax = 20;
  const HarmonicTransform transform(grid, Ordering::ring, lmax);
  const Coefficients alm = random_alm(lmax, 4);
  const std::vector<double> map = transform.synthesis(alm);
  for (Size p = 0; p < grid.num_pixels(); ++p) {
    const Angles a = grid.angles(p, Ordering::ring);
    Complex sum = 0;
    for (Size l = 0; l <= lmax; ++l) {
      for (Size m = 0; m <= l; ++m) {
        const double lambda = std::sph_legendre(static_cast<unsigned>(l), static_cast<unsigned>(m), a.theta);
        sum += (m == 0 ? 1.0 : 2.0) * alm[at(transform.index()(l, m))] * lambda *
               std::polar(1.0, static_cast<double>(m) * a.phi);
      }
    }
    CHECK(map[at(p)] == Approx(sum.real()).margin(1e-11));
  }
}

TEST_CASE("the imaginary part of a_l0 changes nothing", "[healpix][harmonics]") {
  const HarmonicTransform transform(Grid(4), Ordering::nest, 9);
  Coefficients alm = random_alm(9, 5);
  const std::vector<double> map = transform.synthesis(alm), q = transform.polarised_synthesis(alm, alm).q;
  for (Size l = 0; l <= 9; ++l) alm[at(transform.index()(l, 0))].imag(3);
  CHECK(transform.synthesis(alm) == map);
  CHECK(transform.polarised_synthesis(alm, alm).q == q);
}

TEST_CASE("E and B are the same polarisation turned by 45 degrees", "[healpix][harmonics]") {
  const HarmonicTransform transform(Grid(8), Ordering::nest, 20);
  const Coefficients a = random_alm(20, 6), zero(a.size());
  const auto e = transform.polarised_synthesis(a, zero), b = transform.polarised_synthesis(zero, a);
  CHECK(worst(b.u, e.q) < 1e-12);
  for (std::size_t p = 0; p < b.q.size(); ++p) CHECK(b.q[p] == Approx(-e.u[p]).margin(1e-12));
}

TEST_CASE("polarised maps have the power of their spectra, and none below l = 2", "[healpix][harmonics]") {
  const HarmonicTransform transform(Grid(16), Ordering::nest, 30);
  Coefficients e = random_alm(30, 7), b = random_alm(30, 8);
  double power = 0;
  for (const Coefficients* a : {&e, &b}) {
    std::vector<double> cl = power_spectrum(*a, 30);
    cl[0] = cl[1] = 0;
    power += field_variance(cl);
  }
  const auto [q, u] = transform.polarised_synthesis(e, b);
  CHECK(mean_square(q) + mean_square(u) == Approx(power).epsilon(0.02));
  for (Coefficients* a : {&e, &b}) {
    for (Size l = 2; l <= 30; ++l) {
      for (Size m = 0; m <= l; ++m) (*a)[at(transform.index()(l, m))] = 0;
    }
  }
  CHECK(mean_square(transform.polarised_synthesis(e, b).q) == 0);
}

TEST_CASE("transforms have the same bits for 1, 2 and 7 threads", "[healpix][harmonics][threads]") {
  const auto all = [](int threads) {
    const Threads limit(threads);
    const HarmonicTransform transform(Grid(64), Ordering::nest, 127);
    const Coefficients alm = random_alm(127, 9);
    std::vector<double> map = transform.synthesis(alm);
    const auto [q, u] = transform.polarised_synthesis(alm, alm);
    for (const Complex& a : transform.analysis(map, 1)) map.push_back(a.real() + a.imag());
    map.insert(map.end(), q.begin(), q.end());
    map.insert(map.end(), u.begin(), u.end());
    return map;
  };
  const std::vector<double> one = all(1);
  CHECK(all(2) == one);
  CHECK(all(7) == one);
}

TEST_CASE("transforms say what does not fit", "[healpix][harmonics][errors]") {
  const HarmonicTransform transform(Grid(2), Ordering::ring, 5);
  CHECK_THROWS_WITH(transform.synthesis(Coefficients(20)),
                    "healpix-alm2map: 20 coefficients; expected 21 for lmax 5");
  CHECK_THROWS_WITH(transform.polarised_synthesis(Coefficients(21), Coefficients(22)),
                    "healpix-alm2map-pol: 22 coefficients; expected 21 for lmax 5");
  CHECK_THROWS_WITH(transform.analysis(std::vector<double>(47)),
                    "healpix-map2alm: map has 47 pixels; expected 48 at nside 2");
  CHECK_THROWS_WITH(transform.analysis(std::vector<double>(48), -1),
                    "healpix-map2alm: -1 iterations; expected at least 0");
  CHECK_THROWS_WITH(HarmonicTransform(Grid(2), Ordering::ring, -1),
                    "healpix-alm2map: lmax -1; expected at least 0");
  CHECK_THROWS_AS(power_spectrum(Coefficients(20), 5), ShapeError);
}
