#pragma once

#include "tarn/core/real.hpp"

#include <array>
#include <span>
#include <string_view>
#include <vector>

/// HEALPix: pixels of equal area on the sphere, in rings of equal latitude. Gorski et al. 2005,
/// astro-ph/0409513. All of it is double precision and 64-bit, whatever `Real` is.
namespace tarn::healpix {

/// How the pixels of a map are numbered: along a quad tree on each of 12 faces, or along rings from the
/// north.
enum class Ordering { nest, ring };
inline std::span<const std::string_view> enum_names(Ordering) {
  static constexpr std::array<std::string_view, 2> names{"nest", "ring"};
  return names;
}

/// Colatitude in [0, pi] from the north pole, and longitude, in radians.
struct Angles {
  double theta = 0;
  double phi = 0;
};

using Vector = std::array<double, 3>;

/// Place of a pixel on its face: 0-3 north, 4-7 equator, 8-11 south. x grows towards the north-east, y
/// towards the north-west, both 0 .. nside-1.
struct FacePixel {
  Size x = 0;
  Size y = 0;
  Size face = 0;
  friend bool operator==(const FacePixel&, const FacePixel&) = default;
};

/// One ring of equal latitude.
struct Ring {
  Size first = 0;         ///< RING number of its first pixel
  Size count = 0;         ///< pixels
  double z = 0;           ///< cosine of the colatitude
  double sin_theta = 0;   ///< exact also beside the poles
  double first_turn = 0;  ///< longitude of the first centre in pixels: 1/2 or 0

  [[nodiscard]] double theta() const;
  /// Longitude of the centre of its pixel 0 .. count-1.
  [[nodiscard]] double phi(Size pixel) const;
};

/// The pixels of one resolution: nside = 2^order, order 0 .. 29, 12 nside^2 pixels. A value of two words.
///
/// Pixel numbers outside 0 .. num_pixels()-1 throw ValueError; so do theta outside [0, pi], angles that are
/// not finite, and vectors that are zero or not finite. Any finite phi is taken and wrapped.
class Grid {
 public:
  /// Throws ValueError, naming `where`, unless nside is a power of two from 1 to 2^29.
  explicit Grid(Size nside, std::string_view where = "healpix");

  [[nodiscard]] Size nside() const { return nside_; }
  [[nodiscard]] int order() const { return order_; }
  [[nodiscard]] Size num_pixels() const { return 12 * nside_ * nside_; }
  [[nodiscard]] Size num_rings() const { return 4 * nside_ - 1; }
  friend bool operator==(const Grid&, const Grid&) = default;

  // === Numbers
  [[nodiscard]] Size nest_to_ring(Size pixel) const;
  [[nodiscard]] Size ring_to_nest(Size pixel) const;
  /// The number that a pixel of one ordering has in another.
  [[nodiscard]] Size convert(Size pixel, Ordering from, Ordering to) const;
  [[nodiscard]] FacePixel face_pixel(Size pixel, Ordering ordering) const;
  /// x, y and face must be in range.
  [[nodiscard]] Size number(const FacePixel& pixel, Ordering ordering) const;

  // === Coordinates of pixel centres
  /// Rings count from 1 in the north to num_rings() in the south.
  [[nodiscard]] Ring ring(Size index) const;
  [[nodiscard]] Angles angles(Size pixel, Ordering ordering) const;
  /// Unit vector.
  [[nodiscard]] Vector vector(Size pixel, Ordering ordering) const;
  /// Largest angle between a centre and a corner of its pixel.
  [[nodiscard]] double largest_radius() const;

  // === Pixels at directions
  /// The pixel that holds a direction; on a border the side that the rounding of its coordinates gives.
  [[nodiscard]] Size pixel_at(const Angles& direction, Ordering ordering) const;
  /// The same for a vector of any length.
  [[nodiscard]] Size pixel_at(const Vector& direction, Ordering ordering) const;

  /// Throws ValueError, naming `where`, for a pixel that the grid has not.
  void require_pixel(Size pixel, std::string_view where = "healpix") const;

 private:
  Size nside_;
  int order_;
};

/// Map from a pixel's number in one ordering to its number in the other: [P].
[[nodiscard]] std::vector<Size> reordering(const Grid& grid, Ordering from, Ordering to);

/// The angles theta, phi of a direction, and back to a unit vector. Throw as Grid does.
[[nodiscard]] Angles to_angles(const Vector& direction);
[[nodiscard]] Vector to_vector(const Angles& direction);

}  // namespace tarn::healpix
