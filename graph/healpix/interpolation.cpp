#include "tarn/graph/healpix/interpolation.hpp"

#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

constexpr double pi = std::numbers::pi;

/// The last ring at or above a direction; 0 above the first.
Size ring_above(const Grid& grid, double z, double sin_theta) {
  const double n = static_cast<double>(grid.nside()), height = std::abs(z);
  if (height <= 2.0 / 3.0) return static_cast<Size>(n * (2 - 1.5 * z));
  const double from_pole =
      height > 0.99 ? n * sin_theta / std::sqrt((1 + height) / 3) : n * std::sqrt(3 * (1 - height));
  const Size ring = static_cast<Size>(from_pole);
  return z > 0 ? ring : 4 * grid.nside() - 1 - ring;
}

struct Pair {
  std::array<Size, 2> pixels;
  double second;  ///< weight of the second
};

Pair pair_in_ring(const Ring& ring, double phi) {
  const double count = static_cast<double>(ring.count);
  const double place = phi * count / (2 * pi) - ring.first_turn, left = std::floor(place);
  const Size column = static_cast<Size>(std::fmod(left, count)) + ring.count;
  return {{ring.first + column % ring.count, ring.first + (column + 1) % ring.count}, place - left};
}

/// A direction between a pole and the ring next to it, `share` of the way to the pole: the pair of that ring
/// stands at `near`, the opposite pair of the ring at the other place.
void blend_with_pole(Interpolation& result, std::size_t near, const Pair& pair, Size first, double share) {
  const std::size_t far = 2 - near;
  result.weights[near] = (1 - share) * (1 - pair.second);
  result.weights[near + 1] = (1 - share) * pair.second;
  for (std::size_t i = 0; i < 2; ++i) {
    result.pixels[near + i] = pair.pixels[i];
    result.pixels[far + i] = first + (pair.pixels[i] - first + 2) % 4;
  }
  for (double& w : result.weights) w += share / 4;
}

}  // namespace

Interpolation interpolate(const Grid& grid, const Angles& direction, Ordering ordering) {
  const Vector v = to_vector(direction);  // checks the direction
  const double theta = direction.theta, z = v[2], sin_theta = std::sin(theta);
  const double phi = std::fmod(direction.phi, 2 * pi);
  const Size above = ring_above(grid, z, sin_theta), below = above + 1;

  Interpolation result{};
  if (above == 0) {
    const Ring ring = grid.ring(1);
    blend_with_pole(result, 2, pair_in_ring(ring, phi), ring.first, 1 - theta / ring.theta());
  } else if (below == 4 * grid.nside()) {
    const Ring ring = grid.ring(above);
    blend_with_pole(result, 0, pair_in_ring(ring, phi), ring.first,
                    (theta - ring.theta()) / (pi - ring.theta()));
  } else {
    const Ring upper = grid.ring(above), lower = grid.ring(below);
    const Pair a = pair_in_ring(upper, phi), b = pair_in_ring(lower, phi);
    const double share = (theta - upper.theta()) / (lower.theta() - upper.theta());
    result.pixels = {a.pixels[0], a.pixels[1], b.pixels[0], b.pixels[1]};
    result.weights = {(1 - share) * (1 - a.second), (1 - share) * a.second, share * (1 - b.second),
                      share * b.second};
  }
  if (ordering == Ordering::nest) {
    for (Size& p : result.pixels) p = grid.ring_to_nest(p);
  }
  return result;
}

}  // namespace tarn::healpix
