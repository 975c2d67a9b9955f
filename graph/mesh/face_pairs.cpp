#include "tarn/graph/mesh/mesh_features.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// The corner of a half-edge's face that is not on it.
NodeId third_corner(const HalfEdges& half_edges, Size h) {
  return half_edges.start(HalfEdges::previous(h));
}

/// Stable counting sort by face i of each pair's faces.
std::vector<FacePair> sorted_by(const std::vector<FacePair>& pairs, std::size_t side, Size num_faces) {
  std::vector<Size> place(idx(num_faces) + 1, 0);
  for (const FacePair& p : pairs) ++place[idx(p.faces[side]) + 1];
  for (std::size_t f = 1; f < place.size(); ++f) place[f] += place[f - 1];
  std::vector<FacePair> sorted(pairs.size());
  for (const FacePair& p : pairs) sorted[idx(place[idx(p.faces[side])]++)] = p;
  return sorted;
}

}  // namespace

std::vector<FacePair> face_pairs(const HalfEdges& half_edges) {
  std::vector<FacePair> pairs;
  pairs.reserve(idx(half_edges.count() / 2));
  for (Size e = 0; e < half_edges.num_edges(); ++e) {
    const auto here = half_edges.around(e);
    for (std::size_t a = 0; a < here.size(); ++a) {
      for (std::size_t b = a + 1; b < here.size(); ++b) {
        const auto i = static_cast<NodeId>(HalfEdges::face(here[a])),
                   j = static_cast<NodeId>(HalfEdges::face(here[b]));
        if (i == j || third_corner(half_edges, here[a]) == third_corner(half_edges, here[b])) continue;
        pairs.push_back({{i, j}, {here[a], here[b]}});
      }
    }
  }
  const Size num_faces = half_edges.count() / 3;
  return sorted_by(sorted_by(pairs, 1, num_faces), 0, num_faces);
}

std::vector<Vec3> face_normals(const TriangleMesh& mesh) {
  std::vector<Vec3> normals;
  normals.reserve(mesh.faces.size());
  for (Size f = 0; f < mesh.num_faces(); ++f) {
    const Vec3 along = area_vector(mesh, f);
    normals.push_back(1 / norm(along) * along);
  }
  return normals;
}

double dihedral_angle(const Vec3& a, const Vec3& b, const Vec3& normal_i, const Vec3& normal_j) {
  const Vec3 edge = b - a;
  const Vec3 u = 1 / norm(edge) * edge;
  const Vec3 h_i = cross(normal_i, u), h_j = cross(u, normal_j);  // from the edge into each face
  const double alpha = std::atan2(-dot(h_i, cross(u, h_j)), dot(h_i, h_j));
  return alpha < 0 ? alpha + 2 * std::numbers::pi : alpha;
}

double dihedral_angle(const TriangleMesh& mesh, const HalfEdges& half_edges, const FacePair& pair,
                      std::span<const Vec3> normals) {
  const Size h = pair.half_edges[0];
  return dihedral_angle(mesh.vertices[idx(half_edges.start(h))], mesh.vertices[idx(half_edges.end(h))],
                        normals[idx(pair.faces[0])], normals[idx(pair.faces[1])]);
}

}  // namespace tarn
