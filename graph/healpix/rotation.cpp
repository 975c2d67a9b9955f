#include "tarn/graph/healpix/rotation.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::healpix {

namespace {

using Matrix = std::array<double, 9>;

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t k = 0; k < 3; ++k) c[3 * i + j] += a[3 * i + k] * b[3 * k + j];
    }
  }
  return c;
}

Matrix transposed(const Matrix& m) {
  return {m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]};
}

double determinant(const Matrix& m) {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

Matrix about_x(double a) {
  return {1, 0, 0, 0, std::cos(a), -std::sin(a), 0, std::sin(a), std::cos(a)};
}
Matrix about_y(double a) {
  return {std::cos(a), 0, std::sin(a), 0, 1, 0, -std::sin(a), 0, std::cos(a)};
}
Matrix about_z(double a) {
  return {std::cos(a), -std::sin(a), 0, std::sin(a), std::cos(a), 0, 0, 0, 1};
}

Matrix of_quaternion(double w, double x, double y, double z) {
  return {1 - 2 * (y * y + z * z), 2 * (x * y - z * w),     2 * (x * z + y * w),
          2 * (x * y + z * w),     1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
          2 * (x * z - y * w),     2 * (y * z + x * w),     1 - 2 * (x * x + y * y)};
}

}  // namespace

Rotation::Rotation(const Matrix& matrix, std::string_view where) : matrix_(matrix) {
  const Matrix square = product(transposed(matrix), matrix);
  double worst = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    const double error = std::abs(square[i] - (i % 4 == 0 ? 1 : 0));
    worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
  }
  if (!(worst <= 1e-6)) {
    throw ValueError(fmt::format(
        "{}: R^T R differs from the identity by {:.3g}; expected a rotation, at most 1e-6", where, worst));
  }
  if (determinant(matrix) < 0) {
    throw ValueError(fmt::format("{}: a mirror, determinant {:.3g}; expected a rotation, determinant 1",
                                 where, determinant(matrix)));
  }
}

Rotation Rotation::of_degrees(double lon, double lat, double psi) {
  if (!std::isfinite(lon) || !std::isfinite(lat) || !std::isfinite(psi)) {
    throw ValueError(fmt::format(
        "healpix-rotation: lon {}, lat {}, psi {}; expected finite angles in degrees", lon, lat, psi));
  }
  constexpr double degree = std::numbers::pi / 180;
  Rotation r;
  r.matrix_ = product(about_x(-psi * degree), product(about_y(lat * degree), about_z(-lon * degree)));
  return r;
}

Vector Rotation::operator()(const Vector& v) const {
  const Matrix& m = matrix_;
  return {m[0] * v[0] + m[1] * v[1] + m[2] * v[2], m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
          m[6] * v[0] + m[7] * v[1] + m[8] * v[2]};
}

Rotation Rotation::inverse() const {
  Rotation r;
  r.matrix_ = transposed(matrix_);
  return r;
}

Rotation random_rotation(const Rng& rng, RotationSampling sampling) {
  if (sampling == RotationSampling::euler) {
    constexpr double turn = 2 * std::numbers::pi;
    return Rotation(product(about_z(turn * rng.uniform(0)),
                            product(about_y(turn * rng.uniform(1)), about_x(turn * rng.uniform(2)))));
  }
  std::array<double, 4> q{};
  double squares = 0;
  // Four normals that are all zero have no direction; the next four then.
  for (std::uint64_t block = 0; squares == 0; ++block) {
    for (std::size_t i = 0; i < 4; ++i) q[i] = rng.normal(4 * block + i);
    squares = q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3];
  }
  const double length = std::sqrt(squares);
  return Rotation(of_quaternion(q[0] / length, q[1] / length, q[2] / length, q[3] / length));
}

}  // namespace tarn::healpix
