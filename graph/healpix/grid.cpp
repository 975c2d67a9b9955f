#include "tarn/graph/healpix/grid.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/healpix/quad_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

constexpr double pi = std::numbers::pi;
/// Nearer to a pole than this cosine, pixels follow from the sine: the cosine alone has lost half its digits.
constexpr double polar_cosine = 0.99;

/// Row of rings, in units of nside, of the northern corner of each face; and its column.
constexpr std::array<Size, 12> corner_ring{2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4};
constexpr std::array<Size, 12> corner_column{1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7};

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Largest r with r^2 <= v; the square root in double is off by one above 2^52.
Size integer_root(Size v) {
  Size r = static_cast<Size>(std::sqrt(static_cast<double>(v)));
  while (r * r > v) --r;
  while ((r + 1) * (r + 1) <= v) ++r;
  return r;
}

/// The part of a ring that integers tell.
struct RingPlace {
  Size first;    ///< RING number of its first pixel
  Size quarter;  ///< a quarter of its pixels
  Size shifted;  ///< 1 if the first centre lies at longitude 0, else 0
};

RingPlace place_of_ring(Size nside, Size ring) {
  if (ring < nside) return {2 * ring * (ring - 1), ring, 0};
  if (ring > 3 * nside) {
    const Size quarter = 4 * nside - ring;
    return {12 * nside * nside - 2 * quarter * (quarter + 1), quarter, 0};
  }
  const Size below = ring - nside;
  return {2 * nside * (nside - 1) + below * 4 * nside, nside, below % 2};
}

/// A RING number as ring (from 1) and place in it (from 0).
struct RingPixel {
  Size ring;
  Size column;
};

RingPixel ring_pixel(Size nside, Size pixel) {
  const Size cap = 2 * nside * (nside - 1), last = 12 * nside * nside - 1;
  if (pixel < cap) {
    const Size ring = (1 + integer_root(1 + 2 * pixel)) / 2;
    return {ring, pixel - 2 * ring * (ring - 1)};
  }
  if (last - pixel < cap) {
    const Size quarter = (1 + integer_root(1 + 2 * (last - pixel))) / 2;
    return {4 * nside - quarter, pixel - (last + 1 - 2 * quarter * (quarter + 1))};
  }
  return {nside + (pixel - cap) / (4 * nside), (pixel - cap) % (4 * nside)};
}

Size ring_number(Size nside, const FacePixel& p) {
  const Size ring = corner_ring[at(p.face)] * nside - p.x - p.y - 1;
  const RingPlace place = place_of_ring(nside, ring);
  // The numerator is even: nside - x - y and the quarter have the same parity where the ring is shifted.
  Size column = (corner_column[at(p.face)] * place.quarter + p.x - p.y + 1 + place.shifted) / 2 - 1;
  if (column < 0) column += 4 * place.quarter;
  if (column >= 4 * place.quarter) column -= 4 * place.quarter;
  return place.first + column;
}

/// The face between two diagonal stripes that cross the belt: A rises to the north-east, B to the south-east.
Size face_of_stripes(Size a, Size b) {
  return a == b ? 4 + a % 4 : b < a ? b : a + 8;
}

FacePixel from_ring(Size nside, Size pixel) {
  const auto [ring, column] = ring_pixel(nside, pixel);
  const RingPlace place = place_of_ring(nside, ring);
  Size face = 0;
  if (ring < nside || ring > 3 * nside) {
    face = column / place.quarter + (ring < nside ? 0 : 8);
  } else {
    const Size a = (column + nside - (ring - nside + 1) / 2) / nside;
    const Size b = (column + nside - (3 * nside + 1 - ring) / 2) / nside;
    face = face_of_stripes(a, b);
  }
  const Size sum = corner_ring[at(face)] * nside - ring - 1;
  Size difference = 2 * (column + 1) - corner_column[at(face)] * place.quarter - place.shifted - 1;
  if (difference >= 2 * nside) difference -= 8 * place.quarter;
  return {(sum + difference) / 2, (sum - difference) / 2, face};
}

FacePixel from_nest(int order, Size pixel) {
  const Size inside = pixel & ((Size{1} << (2 * order)) - 1);
  return {gather_bits(inside), gather_bits(inside >> 1), pixel >> (2 * order)};
}

/// A direction as the pixel search takes it.
struct Direction {
  double z;
  double sin_theta;
  double phi;
};

FacePixel pixel_of_belt(Size nside, double z, double turn) {
  const double n = static_cast<double>(nside), middle = n * (0.5 + turn), rise = 0.75 * n * z;
  const Size a = static_cast<Size>(middle - rise), b = static_cast<Size>(middle + rise);
  return {b % nside, nside - 1 - a % nside, face_of_stripes(b / nside, a / nside)};
}

FacePixel pixel_of_cap(Size nside, const Direction& d, double turn) {
  const double n = static_cast<double>(nside), height = std::abs(d.z);
  const Size quarter = std::min<Size>(3, static_cast<Size>(turn));
  const double t = turn - static_cast<double>(quarter);
  const double r =
      height > polar_cosine ? n * d.sin_theta / std::sqrt((1 + height) / 3) : n * std::sqrt(3 * (1 - height));
  const Size a = std::min(nside - 1, static_cast<Size>(t * r));
  const Size b = std::min(nside - 1, static_cast<Size>((1 - t) * r));
  if (d.z >= 0) return {nside - 1 - b, nside - 1 - a, quarter};
  return {a, b, quarter + 8};
}

FacePixel pixel_of(Size nside, const Direction& d) {
  double turn = std::fmod(d.phi * (2 / pi), 4.0);  // quarter turns
  if (turn < 0) turn += 4;
  if (turn >= 4) turn = 0;
  return std::abs(d.z) <= 2.0 / 3.0 ? pixel_of_belt(nside, d.z, turn) : pixel_of_cap(nside, d, turn);
}

Direction direction_of(const Angles& a) {
  if (!(a.theta >= 0 && a.theta <= pi)) {
    throw ValueError(fmt::format("healpix: theta {}; expected an angle in [0, pi]", a.theta));
  }
  if (!std::isfinite(a.phi)) {
    throw ValueError(fmt::format("healpix: phi {}; expected a finite angle", a.phi));
  }
  return {std::cos(a.theta), std::sin(a.theta), a.phi};
}

Direction direction_of(const Vector& v) {
  double length = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  // Squares that leave the normal numbers, or components that are not finite.
  if (!(length > 1e-150 && length < 1e150)) length = std::hypot(v[0], v[1], v[2]);
  if (!(length > 0 && std::isfinite(length))) {
    throw ValueError(fmt::format(
        "healpix: vector ({}, {}, {}); expected finite numbers that are not all zero", v[0], v[1], v[2]));
  }
  const double x = v[0] / length, y = v[1] / length;
  return {v[2] / length, std::sqrt(x * x + y * y), std::atan2(v[1], v[0])};
}

}  // namespace

double Ring::theta() const {
  return std::atan2(sin_theta, z);
}

double Ring::phi(Size pixel) const {
  return (static_cast<double>(pixel) + first_turn) * 2 * pi / static_cast<double>(count);
}

Grid::Grid(Size nside, std::string_view where) : nside_(nside), order_(0) {
  if (nside < 1 || nside > (Size{1} << 29) || (nside & (nside - 1)) != 0) {
    throw ValueError(fmt::format("{}: nside {}; expected a power of two from 1 to 2^29", where, nside));
  }
  while ((Size{1} << order_) < nside) ++order_;
}

void Grid::require_pixel(Size pixel, std::string_view where) const {
  if (pixel >= 0 && pixel < num_pixels()) return;
  throw ValueError(fmt::format("{}: pixel {}; expected a number from 0 to {} at nside {}", where, pixel,
                               num_pixels() - 1, nside_));
}

Size Grid::nest_to_ring(Size pixel) const {
  require_pixel(pixel);
  return ring_number(nside_, from_nest(order_, pixel));
}

Size Grid::ring_to_nest(Size pixel) const {
  require_pixel(pixel);
  return number(from_ring(nside_, pixel), Ordering::nest);
}

Size Grid::convert(Size pixel, Ordering from, Ordering to) const {
  if (from != to) return from == Ordering::nest ? nest_to_ring(pixel) : ring_to_nest(pixel);
  require_pixel(pixel);
  return pixel;
}

FacePixel Grid::face_pixel(Size pixel, Ordering ordering) const {
  require_pixel(pixel);
  return ordering == Ordering::nest ? from_nest(order_, pixel) : from_ring(nside_, pixel);
}

Size Grid::number(const FacePixel& p, Ordering ordering) const {
  if (ordering == Ordering::ring) return ring_number(nside_, p);
  return (p.face << (2 * order_)) + interleave(p.x, p.y);
}

Ring Grid::ring(Size index) const {
  if (index < 1 || index > num_rings()) {
    throw ValueError(fmt::format("healpix: ring {}; expected a number from 1 to {} at nside {}", index,
                                 num_rings(), nside_));
  }
  const RingPlace place = place_of_ring(nside_, index);
  const double n = static_cast<double>(nside_);
  Ring ring{.first = place.first, .count = 4 * place.quarter, .first_turn = place.shifted == 1 ? 0 : 0.5};
  if (index >= nside_ && index <= 3 * nside_) {
    ring.z = 2 * static_cast<double>(2 * nside_ - index) / (3 * n);
    ring.sin_theta = std::sqrt((1 - ring.z) * (1 + ring.z));
  } else {
    const double quarter = static_cast<double>(place.quarter), t = quarter * quarter / (3 * n * n);
    ring.z = index < nside_ ? 1 - t : t - 1;
    ring.sin_theta = std::sqrt(t * (2 - t));
  }
  return ring;
}

Angles Grid::angles(Size pixel, Ordering ordering) const {
  const auto [index, column] = ring_pixel(nside_, convert(pixel, ordering, Ordering::ring));
  const Ring r = ring(index);
  return {r.theta(), r.phi(column)};
}

Vector Grid::vector(Size pixel, Ordering ordering) const {
  const auto [index, column] = ring_pixel(nside_, convert(pixel, ordering, Ordering::ring));
  const Ring r = ring(index);
  const double phi = r.phi(column);
  return {r.sin_theta * std::cos(phi), r.sin_theta * std::sin(phi), r.z};
}

double Grid::largest_radius() const {
  // The pixel that touches a corner of its face at z = 2/3 and stretches along the meridian.
  const double n = static_cast<double>(nside_), t = (1 - 1 / n) * (1 - 1 / n) / 3;
  const double phi = pi / (4 * n), z = 2.0 / 3.0, s = std::sqrt(1 - z * z);
  const Vector a{s * std::cos(phi), s * std::sin(phi), z}, b{std::sqrt(t * (2 - t)), 0, 1 - t};
  const double chord = std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  return 2 * std::asin(std::min(1.0, chord / 2));
}

Size Grid::pixel_at(const Angles& direction, Ordering ordering) const {
  return number(pixel_of(nside_, direction_of(direction)), ordering);
}

Size Grid::pixel_at(const Vector& direction, Ordering ordering) const {
  return number(pixel_of(nside_, direction_of(direction)), ordering);
}

std::vector<Size> reordering(const Grid& grid, Ordering from, Ordering to) {
  std::vector<Size> result(at(grid.num_pixels()));
  for_blocks(grid.num_pixels(), 4096, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) result[at(p)] = grid.convert(p, from, to);
  });
  return result;
}

Angles to_angles(const Vector& direction) {
  const Direction d = direction_of(direction);
  return {std::atan2(d.sin_theta, d.z), d.phi};
}

Vector to_vector(const Angles& direction) {
  const Direction d = direction_of(direction);
  return {d.sin_theta * std::cos(d.phi), d.sin_theta * std::sin(d.phi), d.z};
}

}  // namespace tarn::healpix
