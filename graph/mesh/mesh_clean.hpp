#pragma once

#include "tarn/core/options.hpp"
#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <span>
#include <string>
#include <vector>

namespace tarn {

enum class OnDrop { report, error };
inline std::span<const std::string_view> enum_names(OnDrop) {
  static constexpr std::array<std::string_view, 2> names{"report", "error"};
  return names;
}

struct MeshCleanOptions {
  double merge_tolerance = 1e-12;
  bool prevent_nonmanifold_edges = true;
  OnDrop on_drop = OnDrop::report;
  void fields(Fields& f) {
    f("merge_tolerance", merge_tolerance, at_least(0),
      "vertices nearer than this become one; 0: equal positions only");
    f("prevent_nonmanifold_edges", prevent_nonmanifold_edges, "drop faces beyond the first at a half-edge");
    f("on_drop", on_drop, "whether a dropped face is counted or an error");
  }
};

/// What cleaning took away, by reason.
struct MeshCleanCounts {
  Size merged_vertices = 0;
  Size unused_vertices = 0;
  Size repeated_vertex = 0;  ///< faces that name a vertex twice
  Size duplicate = 0;        ///< faces on the three vertices of another one
  Size zero_area = 0;
  Size nonmanifold = 0;  ///< faces whose half-edge was taken

  [[nodiscard]] Size dropped_faces() const { return repeated_vertex + duplicate + zero_area + nonmanifold; }
  /// "3 duplicate, 1 of zero area", the reasons that occurred; "none".
  [[nodiscard]] std::string text() const;
};

struct CleanMesh {
  TriangleMesh mesh;
  std::vector<NodeId> face_source;    ///< [F'] face of the input that each face is
  std::vector<NodeId> vertex_source;  ///< [V'] vertex of the input that each vertex is
  MeshCleanCounts counts;
};

/// Merges vertices and drops faces that a mesh network cannot use, in this order:
///
/// 1. going up, a vertex becomes the nearest vertex kept before it at a distance below the tolerance (ties:
/// the
///    lowest); 2. faces that name a vertex twice go, and of faces on the same three vertices the last of the
///    more frequent orientation stays, where the first stood, or none if both are equally frequent; 3. faces
///    of area exactly 0 go; 4. with the manifold rule a face goes if one of its half-edges belongs to a face
///    kept before; 5. vertices without a face go. Vertices and faces keep their order.
///
/// Throws DataError for a mesh that is not valid, and for dropped faces where the options say so; ValueError
/// for options out of range. The result may be empty. Time O(V + F).
[[nodiscard]] CleanMesh clean_mesh(const TriangleMesh& mesh, const MeshCleanOptions& options = {});

/// Which earlier vertex each one becomes, itself if none: step 1 alone. [V]
[[nodiscard]] std::vector<NodeId> merge_vertices(std::span<const Vec3> vertices, double tolerance);

}  // namespace tarn
