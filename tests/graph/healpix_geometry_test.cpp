#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"
#include "tarn/graph/healpix/grid.hpp"
#include "tarn/graph/healpix/interpolation.hpp"
#include "tarn/graph/healpix/quad_tree.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <numbers>
#include <set>

using namespace tarn;
using namespace tarn::healpix;

namespace {

constexpr double pi = std::numbers::pi;
constexpr std::array both{Ordering::nest, Ordering::ring};

double angle_between(const Vector& a, const Vector& b) {
  return 2 * std::asin(std::min(1.0, std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) / 2));
}

/// A direction that is uniform on the sphere.
Vector random_direction(const Rng& rng, std::uint64_t i) {
  return {rng.normal(3 * i), rng.normal(3 * i + 1), rng.normal(3 * i + 2)};
}

}  // namespace

TEST_CASE("orderings are permutations that undo each other", "[healpix][pixels]") {
  for (const Size nside : {1, 2, 4, 8, 32}) {
    const Grid grid(nside);
    const std::vector<Size> ring = reordering(grid, Ordering::nest, Ordering::ring);
    CHECK(std::set<Size>(ring.begin(), ring.end()).size() == static_cast<std::size_t>(grid.num_pixels()));
    Size broken = 0;
    for (Size p = 0; p < grid.num_pixels(); ++p) {
      broken += grid.ring_to_nest(ring[static_cast<std::size_t>(p)]) != p;
      for (const Ordering o : both) broken += grid.number(grid.face_pixel(p, o), o) != p;
    }
    CHECK(broken == 0);
  }
}

TEST_CASE("every pixel holds its own centre, up to the largest resolution", "[healpix][pixels]") {
  for (const int order : {0, 1, 3, 5, 13, 20, 26, 27, 28, 29}) {
    const Grid grid(Size{1} << order);
    const Rng rng(7, static_cast<std::uint64_t>(order));
    Size broken = 0;
    for (Size i = 0; i < 2000; ++i) {
      // Half of them beside a pole or beside the edge of a cap, where roots and cosines are delicate.
      const Size cap = 2 * grid.nside() * (grid.nside() - 1);
      const std::array<Size, 4> starts{0, grid.num_pixels() - 1000, cap - 500, grid.num_pixels() - cap - 500};
      Size p = rng.below(grid.num_pixels(), static_cast<std::uint64_t>(i));
      if (i % 2 == 0) p = starts[static_cast<std::size_t>(i / 2 % 4)] + i / 2;
      if (p < 0 || p >= grid.num_pixels()) continue;
      for (const Ordering o : both) {
        broken += grid.pixel_at(grid.angles(p, o), o) != p;
        broken += grid.pixel_at(grid.vector(p, o), o) != p;
      }
      broken += grid.ring_to_nest(grid.nest_to_ring(p)) != p;
    }
    INFO("order " << order);
    CHECK(broken == 0);
  }
}

TEST_CASE("rings tile the numbers of the sphere and their centres have mean zero", "[healpix][pixels]") {
  for (const Size nside : {1, 2, 8, 64}) {
    const Grid grid(nside);
    Size next = 0;
    double sum = 0, squares = 0;
    for (Size r = 1; r <= grid.num_rings(); ++r) {
      const Ring ring = grid.ring(r);
      CHECK(ring.first == next);
      next += ring.count;
      sum += ring.z * static_cast<double>(ring.count);
      squares += ring.z * ring.z * static_cast<double>(ring.count);
      CHECK(std::abs(ring.z * ring.z + ring.sin_theta * ring.sin_theta - 1) < 1e-15);
      CHECK(grid.angles(ring.first, Ordering::ring).phi == Approx(ring.phi(0)).margin(1e-15));
    }
    CHECK(next == grid.num_pixels());
    CHECK(std::abs(sum) < 1e-9);
    CHECK(squares / static_cast<double>(grid.num_pixels()) ==
          Approx(1.0 / 3).margin(0.4 / static_cast<double>(nside * nside)));
  }
}

TEST_CASE("no direction lies further from the centre of its pixel than the largest radius",
          "[healpix][pixels]") {
  for (const Size nside : {1, 2, 4, 64, 1024}) {
    const Grid grid(nside);
    const double radius = grid.largest_radius();
    double worst = 0;
    for (std::uint64_t i = 0; i < 20000; ++i) {
      const Vector v = to_vector(to_angles(random_direction(Rng(3), i)));
      worst =
          std::max(worst, angle_between(v, grid.vector(grid.pixel_at(v, Ordering::nest), Ordering::nest)));
    }
    CHECK(worst <= radius * (1 + 1e-12));
    CHECK(worst > 0.9 * radius);
  }
}

TEST_CASE("any finite longitude is wrapped, and the length of a vector does not matter",
          "[healpix][pixels]") {
  const Grid grid(64);
  for (std::uint64_t i = 0; i < 200; ++i) {
    const Vector v = random_direction(Rng(4), i);
    const Angles a = to_angles(v);
    const Size p = grid.pixel_at(v, Ordering::ring);
    CHECK(grid.pixel_at(Angles{a.theta, a.phi + 6 * pi}, Ordering::ring) == p);
    CHECK(grid.pixel_at(Angles{a.theta, a.phi - 4 * pi}, Ordering::ring) == p);
    for (const double length : {1e-200, 1e-3, 1e200})
      CHECK(grid.pixel_at(Vector{v[0] * length, v[1] * length, v[2] * length}, Ordering::ring) == p);
  }
  CHECK(grid.pixel_at(Angles{0.3, 1e300}, Ordering::nest) >= 0);
  CHECK(Grid(1).pixel_at(Angles{0.1, -1e-20}, Ordering::ring) == 0);
}

TEST_CASE("bits spread by shifts as they do by the processor's own instruction", "[healpix][pixels]") {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto v = static_cast<Size>(Rng(5).bits(i) >> 34U);
    CHECK(static_cast<Size>(spread_bits_by_shifts(static_cast<std::uint64_t>(v))) == spread_bits(v));
    CHECK(gather_bits(interleave(v, 12345)) == v);
    CHECK(gather_bits(interleave(12345, v) >> 1) == v);
    CHECK(gather_bits_by_shifts(static_cast<std::uint64_t>(interleave(v, 77))) ==
          static_cast<std::uint64_t>(v));
  }
}

TEST_CASE("children of a NEST pixel are four times its number and the next three", "[healpix][pixels]") {
  const Grid coarse(8), fine(16);
  for (Size p = 0; p < coarse.num_pixels(); ++p) {
    const FacePixel parent = coarse.face_pixel(p, Ordering::nest);
    for (Size child = 0; child < 4; ++child) {
      const FacePixel c = fine.face_pixel(4 * p + child, Ordering::nest);
      CHECK(c == FacePixel{2 * parent.x + child % 2, 2 * parent.y + child / 2, parent.face});
    }
  }
}

TEST_CASE("interpolation is exact on functions linear in theta and on pixel centres",
          "[healpix][interpolation]") {
  for (const Size nside : {1, 4, 32}) {
    const Grid grid(nside);
    const double first = grid.ring(1).theta();
    for (std::uint64_t i = 0; i < 500; ++i) {
      const Angles a = to_angles(random_direction(Rng(6), i));
      const Interpolation at = interpolate(grid, a, Ordering::nest);
      double sum = 0, theta = 0;
      for (std::size_t k = 0; k < 4; ++k) {
        CHECK(at.weights[k] > -1e-12);
        sum += at.weights[k];
        theta += at.weights[k] * grid.angles(at.pixels[k], Ordering::nest).theta;
      }
      CHECK(sum == Approx(1));
      // Beyond the last ring the pole is the mean of that ring.
      CHECK(theta == Approx(std::clamp(a.theta, first, pi - first)));
    }
    for (Size p = 0; p < grid.num_pixels(); p += 7) {
      const Interpolation at = interpolate(grid, grid.angles(p, Ordering::nest), Ordering::nest);
      double weight = 0;
      for (std::size_t k = 0; k < 4; ++k) weight += at.pixels[k] == p ? at.weights[k] : 0;
      CHECK(weight == Approx(1).margin(1e-9));
    }
  }
}

TEST_CASE("a pole is the mean of the four pixels around it", "[healpix][interpolation]") {
  const Grid grid(4);
  for (const double theta : {0.0, pi}) {
    const Interpolation at = interpolate(grid, {theta, 0.3}, Ordering::ring);
    const std::set<Size> pixels(at.pixels.begin(), at.pixels.end());
    CHECK(pixels == (theta == 0 ? std::set<Size>{0, 1, 2, 3} : std::set<Size>{188, 189, 190, 191}));
    for (const double w : at.weights) CHECK(w == Approx(0.25));
  }
}

TEST_CASE("pixel functions say what they got and what they expected", "[healpix][pixels][errors]") {
  for (const Size nside : {Size{0}, Size{-4}, Size{3}, Size{24}, Size{1} << 30})
    CHECK_THROWS_WITH(Grid(nside),
                      "healpix: nside " + std::to_string(nside) + "; expected a power of two from 1 to 2^29");
  CHECK_THROWS_WITH(Grid(6, "healpix-conv"), "healpix-conv: nside 6; expected a power of two from 1 to 2^29");
  const Grid grid(4);
  for (const Size p : {Size{-1}, Size{192}}) {
    const std::string message =
        "healpix: pixel " + std::to_string(p) + "; expected a number from 0 to 191 at nside 4";
    CHECK_THROWS_WITH(grid.nest_to_ring(p), message);
    CHECK_THROWS_WITH(grid.ring_to_nest(p), message);
    CHECK_THROWS_WITH(grid.convert(p, Ordering::ring, Ordering::ring), message);
    for (const Ordering o : both) {
      CHECK_THROWS_WITH(grid.face_pixel(p, o), message);
      CHECK_THROWS_WITH(grid.angles(p, o), message);
      CHECK_THROWS_WITH(grid.vector(p, o), message);
    }
  }
  CHECK_THROWS_WITH(grid.ring(0), "healpix: ring 0; expected a number from 1 to 15 at nside 4");
  CHECK_THROWS_WITH(grid.ring(16), "healpix: ring 16; expected a number from 1 to 15 at nside 4");

  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double theta : {-1e-9, 3.2, nan, inf}) {
    CHECK_THROWS_AS(grid.pixel_at(Angles{theta, 0}, Ordering::nest), ValueError);
    CHECK_THROWS_AS(interpolate(grid, {theta, 0}, Ordering::ring), ValueError);
    CHECK_THROWS_AS(to_vector({theta, 0}), ValueError);
  }
  CHECK_THROWS_WITH(grid.pixel_at(Angles{4, 0}, Ordering::nest),
                    "healpix: theta 4; expected an angle in [0, pi]");
  for (const double phi : {nan, inf, -inf}) {
    CHECK_THROWS_AS(grid.pixel_at(Angles{1, phi}, Ordering::nest), ValueError);
    CHECK_THROWS_AS(interpolate(grid, {1, phi}, Ordering::ring), ValueError);
  }
  CHECK_THROWS_WITH(grid.pixel_at(Angles{1, inf}, Ordering::nest),
                    "healpix: phi inf; expected a finite angle");
  CHECK_THROWS_WITH(grid.pixel_at(Vector{0, 0, 0}, Ordering::nest),
                    "healpix: vector (0, 0, 0); expected finite numbers that are not all zero");
  CHECK_THROWS_AS(grid.pixel_at(Vector{nan, 0, 1}, Ordering::nest), ValueError);
  CHECK_THROWS_AS(grid.pixel_at(Vector{0, inf, 1}, Ordering::nest), ValueError);
  CHECK_THROWS_AS(to_angles({0, 0, 0}), ValueError);
}
