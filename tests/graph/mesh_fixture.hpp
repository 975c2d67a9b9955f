#pragma once

#include "tarn/graph/mesh/triangle_mesh.hpp"

/// Small meshes by hand.
namespace tarn::test {

inline TriangleMesh tetrahedron() {
  return {{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {{0, 2, 1}, {0, 1, 3}, {1, 2, 3}, {0, 3, 2}}};
}

/// Corners (+-1, +-1, +-1), numbered in binary, two triangles a side, normals outwards.
inline TriangleMesh cube() {
  TriangleMesh mesh;
  for (int v = 0; v < 8; ++v) mesh.vertices.push_back({v & 4 ? 1. : -1., v & 2 ? 1. : -1., v & 1 ? 1. : -1.});
  mesh.faces = {{0, 1, 3}, {0, 3, 2}, {4, 6, 7}, {4, 7, 5}, {0, 4, 5}, {0, 5, 1},
                {2, 3, 7}, {2, 7, 6}, {0, 2, 6}, {0, 6, 4}, {1, 5, 7}, {1, 7, 3}};
  return mesh;
}

/// n x m squares of side 1 in the plane z = 0, two triangles each.
inline TriangleMesh plane(Size n, Size m) {
  TriangleMesh mesh;
  for (Size i = 0; i <= n; ++i) {
    for (Size j = 0; j <= m; ++j)
      mesh.vertices.push_back({static_cast<double>(i), static_cast<double>(j), 0});
  }
  const auto at = [m](Size i, Size j) { return static_cast<NodeId>(i * (m + 1) + j); };
  for (Size i = 0; i < n; ++i) {
    for (Size j = 0; j < m; ++j) {
      mesh.faces.push_back({at(i, j), at(i + 1, j), at(i + 1, j + 1)});
      mesh.faces.push_back({at(i, j), at(i + 1, j + 1), at(i, j + 1)});
    }
  }
  return mesh;
}

}  // namespace tarn::test
