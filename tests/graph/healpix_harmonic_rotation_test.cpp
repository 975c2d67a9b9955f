#include "tarn/core/errors.hpp"
#include "tarn/graph/healpix/gaussian_field.hpp"
#include "tarn/graph/healpix/harmonic_rotation.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <numbers>

using namespace tarn;
using namespace tarn::healpix;

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

Coefficients random_field(Size lmax, std::uint64_t seed) {
  return gaussian_coefficients(std::vector<double>(at(lmax + 1), 1), harmonic_normals(Rng(seed), 0, lmax));
}

double worst(const Coefficients& a, const Coefficients& b) {
  REQUIRE(a.size() == b.size());
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result = std::max(result, std::abs(a[i] - b[i]));
  return result;
}

/// a . v, an odd polynomial of first degree, and 3 (a . v)^2 - 1, an even one of second degree.
double polynomial(const Vector& v, const Vector& axis) {
  const double x = v[0] * axis[0] + v[1] * axis[1] + v[2] * axis[2];
  return x + 3 * x * x - 1;
}

Rotation composed(const Rotation& second, const Rotation& first) {
  std::array<double, 9> product{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k)
        product[3 * i + j] += second.matrix()[3 * i + k] * first.matrix()[3 * k + j];
    }
  }
  return Rotation(product);
}

}  // namespace

TEST_CASE("a turned field has the values of the field at the directions turned back",
          "[healpix][harmonic-rotation]") {
  const Grid grid(8);
  const HarmonicTransform transform(grid, Ordering::ring, 6);
  const Vector axis = {0.48, -0.6, 0.64};
  std::vector<double> map(at(grid.num_pixels()));
  for (Size p = 0; p < grid.num_pixels(); ++p) map[at(p)] = polynomial(grid.vector(p, Ordering::ring), axis);
  const Coefficients alm = transform.analysis(map, 20);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const Rotation rotation = random_rotation(Rng(seed));
    const Rotation back = rotation.inverse();
    const std::vector<double> turned = transform.synthesis(rotate_coefficients(alm, 6, rotation));
    for (Size p = 0; p < grid.num_pixels(); p += 7)
      CHECK(turned[at(p)] == Approx(polynomial(back(grid.vector(p, Ordering::ring)), axis)).margin(1e-9));
  }
}

TEST_CASE("turns by quarters and halves move pixels onto pixels", "[healpix][harmonic-rotation]") {
  const Grid grid(16);
  const HarmonicTransform transform(grid, Ordering::nest, 20);
  const Coefficients alm = random_field(20, 3);
  const std::vector<double> map = transform.synthesis(alm);
  for (const Size quarters : {0, 1, 2, 3}) {
    const double angle = static_cast<double>(quarters) * std::numbers::pi / 2, c = std::cos(angle),
                 s = std::sin(angle);
    const std::vector<double> turned =
        transform.synthesis(rotate_coefficients(alm, 20, Rotation({c, -s, 0, s, c, 0, 0, 0, 1})));
    const std::vector<Size> from = symmetry_permutation(grid, Ordering::nest, {.quarter_turns = quarters});
    for (std::size_t p = 0; p < map.size(); ++p) REQUIRE(turned[p] == Approx(map[at(from[p])]).margin(1e-10));
  }
  // Half a turn about x: both mirrors.
  const std::vector<double> upside =
      transform.synthesis(rotate_coefficients(alm, 20, Rotation({1, 0, 0, 0, -1, 0, 0, 0, -1})));
  const std::vector<Size> from =
      symmetry_permutation(grid, Ordering::nest, {.mirror_phi = true, .mirror_theta = true});
  for (std::size_t p = 0; p < map.size(); ++p) REQUIRE(upside[p] == Approx(map[at(from[p])]).margin(1e-10));
}

TEST_CASE("turns of coefficients are a group and keep the power of each degree",
          "[healpix][harmonic-rotation]") {
  const Size lmax = 150;
  const Coefficients alm = random_field(lmax, 4);
  const Rotation first = random_rotation(Rng(7)), second = random_rotation(Rng(8));
  const Coefficients once = rotate_coefficients(alm, lmax, first);
  CHECK(worst(rotate_coefficients(once, lmax, second),
              rotate_coefficients(alm, lmax, composed(second, first))) < 1e-10);
  CHECK(worst(rotate_coefficients(once, lmax, first.inverse()), alm) < 1e-10);
  CHECK(worst(rotate_coefficients(alm, lmax, Rotation()), alm) < 1e-12);
  const std::vector<double> before = power_spectrum(alm, lmax), after = power_spectrum(once, lmax);
  for (std::size_t l = 0; l < before.size(); ++l) CHECK(after[l] == Approx(before[l]).epsilon(1e-10));
}

TEST_CASE("coefficients that do not fill their degrees are refused", "[healpix][harmonic-rotation]") {
  CHECK_THROWS_WITH(rotate_coefficients(Coefficients(5), 2, Rotation()),
                    "healpix-rotate-coefficients: got 5 coefficients; expected 6 for lmax 2");
  CHECK_THROWS_AS(rotate_coefficients(Coefficients(), -1, Rotation()), ShapeError);
  CHECK(rotate_coefficients(Coefficients{{2, 0}}, 0, random_rotation(Rng(1)))[0] ==
        std::complex<double>(2, 0));
}
