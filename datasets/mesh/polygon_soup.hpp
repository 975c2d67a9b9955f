#pragma once

#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// A mesh as files hold it: vertices, and polygons of any number of corners.
struct PolygonSoup {
  std::vector<Vec3> vertices;
  std::vector<NodeId> corners;         ///< vertex numbers, one polygon after another
  std::vector<NodeId> offsets = {0};   ///< polygon p owns corners offsets[p] .. offsets[p+1]-1
  std::vector<Colour> face_colours;    ///< one per polygon, or none
  std::vector<Colour> vertex_colours;  ///< one per vertex, or none

  [[nodiscard]] Size num_polygons() const { return static_cast<Size>(offsets.size()) - 1; }
  [[nodiscard]] std::span<const NodeId> polygon(Size p) const {
    const auto first = static_cast<std::size_t>(offsets[static_cast<std::size_t>(p)]);
    const auto last = static_cast<std::size_t>(offsets[static_cast<std::size_t>(p) + 1]);
    return std::span(corners).subspan(first, last - first);
  }
  void add_polygon(std::span<const NodeId> vertex_numbers);
  friend bool operator==(const PolygonSoup&, const PolygonSoup&) = default;
};

/// Triangles as they are; the faces of a mesh as polygons of three.
[[nodiscard]] PolygonSoup polygon_soup(const TriangleMesh& mesh);

/// What becomes of a polygon with more than three corners: a fan from its first one, in its place, or an
/// error.
enum class Triangulate { fan, refuse };

struct TriangulatedMesh {
  TriangleMesh mesh;
  std::vector<NodeId> source;  ///< [F] polygon that each triangle comes from
};

/// Throws DataError, naming `where` and the polygon, for one that is no triangle where that is refused.
[[nodiscard]] TriangulatedMesh triangulate(const PolygonSoup& soup, std::string_view where,
                                           Triangulate how = Triangulate::fan);

}  // namespace tarn
