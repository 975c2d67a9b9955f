#include "tarn/datasets/mesh/polygon_soup.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {

void PolygonSoup::add_polygon(std::span<const NodeId> vertex_numbers) {
  corners.insert(corners.end(), vertex_numbers.begin(), vertex_numbers.end());
  offsets.push_back(static_cast<NodeId>(corners.size()));
}

PolygonSoup polygon_soup(const TriangleMesh& mesh) {
  PolygonSoup soup;
  soup.vertices = mesh.vertices;
  for (const Triangle& face : mesh.faces) soup.add_polygon(face);
  return soup;
}

TriangulatedMesh triangulate(const PolygonSoup& soup, std::string_view where, Triangulate how) {
  TriangulatedMesh result;
  result.mesh.vertices = soup.vertices;
  for (Size p = 0; p < soup.num_polygons(); ++p) {
    const auto polygon = soup.polygon(p);
    if (how == Triangulate::refuse && polygon.size() != 3) {
      throw DataError(
          fmt::format("{}: face {} has {} corners; expected triangles", where, p, polygon.size()));
    }
    for (std::size_t c = 2; c < polygon.size(); ++c) {
      result.mesh.faces.push_back({polygon[0], polygon[c - 1], polygon[c]});
      result.source.push_back(static_cast<NodeId>(p));
    }
  }
  return result;
}

}  // namespace tarn
