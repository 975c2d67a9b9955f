#include "tarn/graph/mesh/triangle_mesh.hpp"

// This file alone is compiled with -ffp-contract=off; it holds no function that another file could hold too.

namespace tarn {

double dot(const Vec3& a, const Vec3& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

double norm(const Vec3& a) {
  return std::sqrt(dot(a, a));
}

Vec3 area_vector(const Vec3& v0, const Vec3& v1, const Vec3& v2) {
  return cross(v1 - v0, v2 - v0);
}

}  // namespace tarn
