#pragma once

#include "tarn/core/real.hpp"

#include <array>
#include <cmath>
#include <string_view>
#include <vector>

namespace tarn {

/// A point or direction in space. Geometry is computed in double, whatever the build.
struct Vec3 {
  double x = 0;
  double y = 0;
  double z = 0;

  friend Vec3 operator+(const Vec3& a, const Vec3& b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(const Vec3& a, const Vec3& b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(double s, const Vec3& a) { return {s * a.x, s * a.y, s * a.z}; }
  friend bool operator==(const Vec3&, const Vec3&) = default;
};

// Out of line, and compiled without fused multiply-add: the area of collinear corners must come out as 0
// wherever it does in plain IEEE arithmetic.
[[nodiscard]] double dot(const Vec3& a, const Vec3& b);
[[nodiscard]] Vec3 cross(const Vec3& a, const Vec3& b);
[[nodiscard]] double norm(const Vec3& a);
[[nodiscard]] inline bool is_finite(const Vec3& a) {
  return std::isfinite(a.x) && std::isfinite(a.y) && std::isfinite(a.z);
}

/// Vertex numbers of a face; its front is where they run counter-clockwise.
using Triangle = std::array<NodeId, 3>;

struct TriangleMesh {
  std::vector<Vec3> vertices;   ///< [V]
  std::vector<Triangle> faces;  ///< [F]

  [[nodiscard]] Size num_vertices() const { return static_cast<Size>(vertices.size()); }
  [[nodiscard]] Size num_faces() const { return static_cast<Size>(faces.size()); }
  [[nodiscard]] const Vec3& corner(Size face, Size c) const {
    const auto v = faces[static_cast<std::size_t>(face)][static_cast<std::size_t>(c)];
    return vertices[static_cast<std::size_t>(v)];
  }
};

/// (v1 - v0) x (v2 - v0): along the normal, twice the area long.
[[nodiscard]] Vec3 area_vector(const Vec3& v0, const Vec3& v1, const Vec3& v2);
[[nodiscard]] inline Vec3 area_vector(const TriangleMesh& mesh, Size face) {
  return area_vector(mesh.corner(face, 0), mesh.corner(face, 1), mesh.corner(face, 2));
}
/// Half the length of `area_vector`.
[[nodiscard]] inline double face_area(const TriangleMesh& mesh, Size face) {
  return 0.5 * norm(area_vector(mesh, face));
}

/// Throws DataError, naming `where` and the place, for a coordinate that is not finite or a vertex number
/// outside 0 .. V-1.
void require_valid_mesh(std::string_view where, const TriangleMesh& mesh);

}  // namespace tarn
