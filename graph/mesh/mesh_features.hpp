#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/tensor.hpp"
#include "tarn/graph/mesh/half_edges.hpp"
#include "tarn/graph/mesh/primal_dual_graph.hpp"

#include <array>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

enum class PrimalFeatures { area, dual_mean, shape };
inline std::span<const std::string_view> enum_names(PrimalFeatures) {
  static constexpr std::array<std::string_view, 3> names{"area", "dual-mean", "shape"};
  return names;
}

struct PrimalDualOptions {
  DualConfiguration configuration = DualConfiguration::A;
  PrimalFeatures primal_features = PrimalFeatures::area;
  bool allow_nonmanifold = false;
  void fields(Fields& f) {
    f("configuration", configuration, "dual nodes per pair of faces (A) or per direction (B, C)");
    f("primal_features", primal_features,
      "share of the area; means of the dual features around; or share of the area, distance from the centre, "
      "facing and places along the principal axes");
    f("allow_nonmanifold", allow_nonmanifold,
      "take every pair of faces at an edge instead of refusing more than two");
  }
};

/// Width of the features that the options ask for.
[[nodiscard]] constexpr Size primal_width(const PrimalDualOptions& o) {
  return o.primal_features == PrimalFeatures::area        ? 1
         : o.primal_features == PrimalFeatures::dual_mean ? 4
                                                          : 6;
}
[[nodiscard]] constexpr Size dual_width(const PrimalDualOptions& o) {
  return o.configuration == DualConfiguration::A ? 7 : 4;
}

/// Two faces at a mesh edge: the half-edge of the edge in each, that of the smaller face first.
struct FacePair {
  NodePair faces;
  NodePair half_edges;
};

/// Pairs of faces that share exactly two vertices, ascending. More than two faces at an edge are all adjacent
/// to each other. Time O(V + F) plus the pairs.
[[nodiscard]] std::vector<FacePair> face_pairs(const HalfEdges& half_edges);

/// Unit normals, by the right hand. A face of area 0 gets NaN.
[[nodiscard]] std::vector<Vec3> face_normals(const TriangleMesh& mesh);

/// Angle between the faces at the edge a -> b, as it runs in the first, on the outer side, in [0, 2 pi): pi
/// where flat, above where convex.
[[nodiscard]] double dihedral_angle(const Vec3& a, const Vec3& b, const Vec3& normal_i, const Vec3& normal_j);
/// The same of a pair of faces, whose unit normals are at hand.
[[nodiscard]] double dihedral_angle(const TriangleMesh& mesh, const HalfEdges& half_edges,
                                    const FacePair& pair, std::span<const Vec3> normals);

inline namespace TARN_PRECISION {

/// A mesh as the networks take it: `build` of its pairs gives the graphs.
struct PrimalDualMesh {
  Size num_faces = 0;
  std::vector<NodePair> pairs;  ///< [E]
  Tensor x;                     ///< [F, 1], [F, 4] or [F, 6]
  Tensor x_dual;                ///< [E, 7] (A), [2 E, 4] (B, C)
  std::vector<double> areas;    ///< [F]

  [[nodiscard]] PrimalPairs primal() const { return {num_faces, pairs}; }
};

/// Features of a clean mesh, computed in double; e the mesh edge of faces i and j, a -> b its half-edge in i,
/// c the third corner, A_i the area:
///
/// alpha = dihedral angle, k_ij = |e|^2 / (2 A_i), bef_ij = |e| / |a - c|, aft_ij = |e| / |c - b|. Dual
/// features of i -> j (B, C): [alpha, k_ij, bef_ij, aft_ij]; of {i, j} (A): [alpha, then k, bef and aft in
/// pairs], first those of the face with the smaller k, of j on a tie. Primal: A_i over the mesh's area, or
/// the means of [alpha, k, bef, aft] over the neighbours, zeros without any, or A_i over the mesh's area
/// followed by the five `shape_features`. Where half-edges run the same
/// way, the face of larger number is read backwards. Parallel over pairs and faces.
///
/// Throws DataError for a mesh that is not valid, has a face of area 0 or, unless allowed, an edge that is
/// not manifold. Milano et al. 2020, "Primal-Dual Mesh Convolutional Neural Networks", arXiv 2010.12455.
[[nodiscard]] PrimalDualMesh primal_dual_mesh(const TriangleMesh& mesh,
                                              const PrimalDualOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
