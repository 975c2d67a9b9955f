#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <span>

namespace tarn {

// Closed shapes are oriented outwards; sizes are about 1. Throws ValueError for fewer parts than a shape
// needs.

[[nodiscard]] TriangleMesh make_tetrahedron();
[[nodiscard]] TriangleMesh make_octahedron();
/// 20 * 4^subdivisions faces on the unit sphere.
[[nodiscard]] TriangleMesh make_icosphere(Size subdivisions);
/// 2 n m faces; radii 1 and `tube`, n parts around the axis, m around the tube.
[[nodiscard]] TriangleMesh make_torus(Size n, Size m, double tube = 0.4);
/// 2 n m faces: n x m squares of the plane, the longer side 1.
[[nodiscard]] TriangleMesh make_grid(Size n, Size m);
/// 2 n (m + 1) faces: n parts around, m along, closed by fans.
[[nodiscard]] TriangleMesh make_cylinder(Size n, Size m, double height = 2);
/// 2 n m faces: n parts around, m from rim to tip, closed by a fan.
[[nodiscard]] TriangleMesh make_cone(Size n, Size m, double height = 2);
/// 12 n^2 faces: a cube of side 1 of n x n squares a side.
[[nodiscard]] TriangleMesh make_box(Size n);
/// 2 n (2 m + k) faces: hemispheres of m rings on a tube of k, n parts around.
[[nodiscard]] TriangleMesh make_capsule(Size n, Size m, Size k, double height = 1);

/// Mean length over the sides of all faces.
[[nodiscard]] double mean_edge_length(const TriangleMesh& mesh);
/// Moves every vertex by normal draws of deviation `share` mean edge lengths on each axis.
[[nodiscard]] TriangleMesh jitter_vertices(const TriangleMesh& mesh, double share, const Rng& rng);
/// A rotation uniform over all.
[[nodiscard]] TriangleMesh rotate_randomly(const TriangleMesh& mesh, const Rng& rng);
/// Face f of the result is face order[f].
[[nodiscard]] TriangleMesh reorder_faces(const TriangleMesh& mesh, std::span<const Size> order);

}  // namespace tarn
