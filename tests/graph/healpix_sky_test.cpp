#include "tarn/core/errors.hpp"
#include "tarn/graph/healpix/rotation.hpp"
#include "tarn/graph/healpix/sky.hpp"
#include "tarn/graph/healpix/symmetry.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <set>

using namespace tarn;
using namespace tarn::healpix;

namespace {

constexpr std::array both{Ordering::nest, Ordering::ring};

std::vector<Size> compose(const std::vector<Size>& first, const std::vector<Size>& second) {
  std::vector<Size> result;
  for (const Size p : second) result.push_back(first[static_cast<std::size_t>(p)]);
  return result;
}

std::vector<Symmetry> all_symmetries() {
  std::vector<Symmetry> all;
  for (const Size turns : {0, 1, 2, 3}) {
    for (const bool phi : {false, true}) {
      for (const bool theta : {false, true}) all.push_back({turns, phi, theta});
    }
  }
  return all;
}

/// How a symmetry moves a direction.
Vector moved(const Symmetry& s, Vector v) {
  if (s.mirror_theta) v[2] = -v[2];
  if (s.mirror_phi) v[1] = -v[1];
  for (Size k = 0; k < s.quarter_turns; ++k) v = {-v[1], v[0], v[2]};
  return v;
}

}  // namespace

TEST_CASE("caps and bands keep about the share that was asked for", "[healpix][sky]") {
  const Grid grid(16);
  const std::array asked{0.5, 0.2, 0.1, 0.05};
  const std::array cap{0.4896, 0.1979, 0.1016, 0.0469}, band{0.4792, 0.2031, 0.0938, 0.0547};
  for (const Ordering o : both) {
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(mask_cap(grid, o, asked[i]).fraction() == Approx(cap[i]).margin(5e-5));
      CHECK(mask_band(grid, o, asked[i]).fraction() == Approx(band[i]).margin(5e-5));
    }
    for (const Sky& sky : {mask_cap(grid, o, 1), mask_band(grid, o, 1)}) CHECK(sky.fraction() > 0.97);
    const Sky pole = mask_cap(grid, o, 0.1);
    for (Size row = 0; row < pole.size(); ++row) {
      CHECK(grid.vector(pole.pixel(row), o)[2] > 0.8);
      CHECK(pole.row(pole.pixel(row)) == row);
    }
    CHECK(pole.row(grid.pixel_at(Angles{std::numbers::pi, 0}, o)) == -1);
  }
}

TEST_CASE("a mask of zeros and ones is the list of its ones", "[healpix][sky]") {
  const Grid grid(1);
  std::vector<std::uint8_t> mask(12, 0);
  mask[3] = mask[7] = 1;
  const Sky sky = Sky::of_mask(grid, Ordering::ring, mask);
  CHECK(sky.size() == 2);
  CHECK(sky.pixel(0) == 3);
  CHECK(sky.pixel(1) == 7);
  CHECK(sky.row(7) == 1);
  CHECK(sky.row(4) == -1);
  CHECK(sky.fraction() == Approx(1.0 / 6));
  CHECK_FALSE(sky.full());
  const Sky full(grid);
  CHECK(full.full());
  CHECK(full.size() == 12);
  CHECK(full.row(5) == 5);
  CHECK(Sky(grid, Ordering::nest, {}).size() == 0);
}

TEST_CASE("skies refuse lists that do not ascend, masks of other lengths and shares outside (0, 1]",
          "[healpix][sky][errors]") {
  const Grid grid(1);
  CHECK_THROWS_WITH(Sky(grid, Ordering::nest, {1, 5, 5}, "healpix-conv"),
                    "healpix-conv: pixels: 5 follows 5 at place 2; expected a strictly ascending list");
  CHECK_THROWS_AS(Sky(grid, Ordering::nest, {5, 1}), ValueError);
  CHECK_THROWS_WITH(Sky(grid, Ordering::nest, {0, 12}),
                    "healpix: pixel 12; expected a number from 0 to 11 at nside 1");
  CHECK_THROWS_WITH(Sky::of_mask(grid, Ordering::nest, std::vector<std::uint8_t>(13)),
                    "healpix: mask has 13 entries; expected 12 at nside 1");
  CHECK_THROWS_AS(Sky::of_mask(grid, Ordering::nest, std::vector<std::uint8_t>(13)), ShapeError);
  CHECK_THROWS_WITH(Sky::of_mask(grid, Ordering::nest, std::vector<std::uint8_t>(12, 2)),
                    "healpix: mask is 2 at pixel 0; expected 0 or 1");
  for (const double f : {0.0, -0.1, 1.01, std::nan("")}) {
    CHECK_THROWS_AS(mask_cap(grid, Ordering::nest, f), ValueError);
    CHECK_THROWS_AS(mask_band(grid, Ordering::nest, f), ValueError);
  }
  CHECK_THROWS_WITH(mask_band(grid, Ordering::nest, 2), "mask-band: f_sky 2; expected a number in (0, 1]");
}

TEST_CASE("symmetries move pixel centres as they move directions", "[healpix][symmetry]") {
  for (const Size nside : {1, 2, 8}) {
    const Grid grid(nside);
    for (const Ordering o : both) {
      for (const Symmetry& s : all_symmetries()) {
        const std::vector<Size> permutation = symmetry_permutation(grid, o, s);
        Size broken = 0;
        for (Size p = 0; p < grid.num_pixels(); ++p) {
          // The feature at the source comes to lie at p.
          const Vector from = moved(s, grid.vector(permutation[static_cast<std::size_t>(p)], o));
          const Vector to = grid.vector(p, o);
          broken += std::hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]) > 1e-12;
        }
        CHECK(broken == 0);
      }
    }
  }
}

TEST_CASE("the symmetries are a group of 16", "[healpix][symmetry]") {
  const Grid grid(2);
  std::set<std::vector<Size>> elements;
  for (const Symmetry& s : all_symmetries()) elements.insert(symmetry_permutation(grid, Ordering::nest, s));
  CHECK(elements.size() == 16);
  Size outside = 0;
  for (const auto& a : elements) {
    for (const auto& b : elements) outside += !elements.contains(compose(a, b));
  }
  CHECK(outside == 0);
  CHECK_THROWS_WITH(symmetry_permutation(grid, Ordering::nest, {.quarter_turns = 4}),
                    "healpix-symmetry: 4 quarter turns; expected a number from 0 to 3");
}

TEST_CASE("random symmetries are uniform", "[healpix][symmetry]") {
  std::array<int, 16> counts{};
  for (std::uint64_t i = 0; i < 16000; ++i) {
    const Symmetry s = random_symmetry(Rng(1).split(i));
    ++counts[static_cast<std::size_t>(s.quarter_turns + (s.mirror_phi ? 4 : 0) + (s.mirror_theta ? 8 : 0))];
    CHECK(random_turn(Rng(2).split(i)).quarter_turns < 4);
  }
  for (const int c : counts) CHECK(std::abs(c - 1000) < 150);
  CHECK(Symmetry{.mirror_phi = true}.flips_u());
  CHECK_FALSE(Symmetry{.mirror_phi = true, .mirror_theta = true}.flips_u());
}

TEST_CASE("uniform rotations scatter a direction evenly, three Euler angles do not", "[healpix][rotation]") {
  double uniform = 0, euler = 0;
  constexpr int draws = 20000;
  for (std::uint64_t i = 0; i < draws; ++i) {
    const Rotation r = random_rotation(Rng(3).split(i)),
                   e = random_rotation(Rng(3).split(i), RotationSampling::euler);
    uniform += std::pow(r({0, 0, 1})[2], 2) / draws;
    euler += std::pow(e({0, 0, 1})[2], 2) / draws;
    if (i > 100) continue;
    const Vector v{0.3, -0.2, 0.9}, back = r.inverse()(r(v));
    for (std::size_t k = 0; k < 3; ++k) CHECK(back[k] == Approx(v[k]));
  }
  CHECK(uniform == Approx(1.0 / 3).margin(0.01));
  CHECK(std::abs(euler - 1.0 / 3) > 0.05);  // z is cos cos of uniform angles: its square has mean 1/4
}

TEST_CASE("longitude and latitude go to the x axis", "[healpix][rotation]") {
  const double degree = std::numbers::pi / 180;
  for (const double psi : {0.0, 77.0}) {
    const Vector v{std::cos(30 * degree) * std::cos(20 * degree),
                   std::cos(30 * degree) * std::sin(20 * degree), std::sin(30 * degree)};
    const Vector x = Rotation::of_degrees(20, 30, psi)(v);
    CHECK(x[0] == Approx(1));
    CHECK(std::hypot(x[1], x[2]) < 1e-12);
  }
}

TEST_CASE("what is no rotation is refused", "[healpix][rotation][errors]") {
  CHECK_THROWS_WITH(
      Rotation({2, 0, 0, 0, 1, 0, 0, 0, 1}, "healpix-rotate-map"),
      "healpix-rotate-map: R^T R differs from the identity by 3; expected a rotation, at most 1e-6");
  CHECK_THROWS_WITH(Rotation({1, 0, 0, 0, 1, 0, 0, 0, -1}),
                    "healpix-rotation: a mirror, determinant -1; expected a rotation, determinant 1");
  CHECK_THROWS_AS(Rotation({std::nan(""), 0, 0, 0, 1, 0, 0, 0, 1}), ValueError);
  CHECK_NOTHROW(Rotation({1 + 4e-7, 0, 0, 0, 1, 0, 0, 0, 1}));
  CHECK_THROWS_AS(Rotation({1 + 1e-6, 0, 0, 0, 1, 0, 0, 0, 1}), ValueError);
  CHECK_THROWS_AS(Rotation::of_degrees(0, std::numeric_limits<double>::infinity(), 0), ValueError);
}
