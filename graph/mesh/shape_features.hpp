#pragma once

#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <array>
#include <span>
#include <vector>

namespace tarn {

/// Three directions at right angles and the variances along them, descending.
struct PrincipalAxes {
  std::array<double, 3> variance{};
  std::array<Vec3, 3> axis{};
};

/// Of a symmetric 3 x 3 matrix given as xx, yy, zz, xy, xz, yz, by Jacobi rotations; axes of unit length,
/// their signs left open.
[[nodiscard]] PrincipalAxes principal_axes(const std::array<double, 6>& moments);

/// Where each face lies in the shape, whatever its position, turn and size:
///
/// c_i the centre of face i, A_i its area, c the mean of the centres by area, R the root of the mean of
/// |c_i - c|^2 by area. Row i: [|c_i - c| / R, n_i . (c_i - c) / |c_i - c|, then |a_k . (c_i - c)| / R along
/// the three principal axes a_k of the centres, that of the largest variance first]. The second number is 0
/// for a face at c. Reflections change nothing but the sign of the second number, where they turn faces
/// inside out. Axes of equal variance are chosen arbitrarily. Time O(F).
[[nodiscard]] std::vector<std::array<double, 5>> shape_features(const TriangleMesh& mesh,
                                                                std::span<const double> areas);

}  // namespace tarn
