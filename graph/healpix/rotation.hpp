#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/graph/healpix/grid.hpp"

namespace tarn::healpix {

/// A turn of the sphere: v' = R v, rows of a 3 x 3 matrix one after another.
class Rotation {
 public:
  /// No turn.
  Rotation() = default;
  /// Throws ValueError, naming `where`, unless the matrix is a rotation: |R^T R - I| at most 1e-6 in every
  /// entry, determinant positive.
  explicit Rotation(const std::array<double, 9>& matrix, std::string_view where = "healpix-rotation");
  /// R = X(-psi) Y(lat) Z(-lon), in degrees, from right-handed turns about the axes: the direction (lon, lat)
  /// goes to the x axis. Throws ValueError for angles that are not finite.
  [[nodiscard]] static Rotation of_degrees(double lon, double lat, double psi);

  [[nodiscard]] std::array<double, 9> matrix() const { return matrix_; }
  [[nodiscard]] Vector operator()(const Vector& v) const;
  [[nodiscard]] Rotation inverse() const;

 private:
  std::array<double, 9> matrix_{1, 0, 0, 0, 1, 0, 0, 0, 1};
};

enum class RotationSampling { uniform, euler };
inline std::span<const std::string_view> enum_names(RotationSampling) {
  static constexpr std::array<std::string_view, 2> names{"uniform", "euler"};
  return names;
}

/// Uniform over all rotations, from four normals as a unit quaternion; or, as the public code of
/// Krachmalnicoff and Tomasi does, three uniform Euler angles, which crowd rotations near the poles.
[[nodiscard]] Rotation random_rotation(const Rng& rng, RotationSampling sampling = RotationSampling::uniform);

}  // namespace tarn::healpix
