#include "tarn/graph/mesh/triangle_mesh.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {

void require_valid_mesh(std::string_view where, const TriangleMesh& mesh) {
  for (std::size_t v = 0; v < mesh.vertices.size(); ++v) {
    const Vec3& p = mesh.vertices[v];
    if (is_finite(p)) continue;
    throw DataError(
        fmt::format("{}: vertex {} is ({}, {}, {}); expected finite numbers", where, v, p.x, p.y, p.z));
  }
  for (std::size_t f = 0; f < mesh.faces.size(); ++f) {
    for (const NodeId v : mesh.faces[f]) {
      if (v >= 0 && v < mesh.num_vertices()) continue;
      throw DataError(fmt::format("{}: face {} names vertex {}; expected a number from 0 to {}", where, f, v,
                                  mesh.num_vertices() - 1));
    }
  }
}

}  // namespace tarn
