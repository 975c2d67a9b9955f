#pragma once

#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <optional>

namespace tarn {

/// What a mesh is like before anything is cleaned away; equal positions count as one vertex.
struct MeshReport {
  Size vertices = 0;           ///< as given
  Size distinct_vertices = 0;  ///< with equal positions merged
  Size unused_vertices = 0;    ///< distinct ones without a face
  Size faces = 0;
  Size edges = 0;
  Size components = 0;            ///< pieces that share no vertex
  Size boundary_edges = 0;        ///< edges with one face
  Size boundary_loops = 0;        ///< closed runs of boundary edges
  Size euler_number = 0;          ///< used vertices - edges + faces
  std::optional<Size> genus;      ///< of a closed, connected mesh without defects
  Size nonmanifold_edges = 0;     ///< with more than two faces
  Size nonmanifold_vertices = 0;  ///< whose faces form more than one fan, or that lie on such an edge
  Size degenerate_faces = 0;      ///< that name a vertex twice or have area 0
  Size duplicate_faces = 0;       ///< on the three vertices of an earlier face
  Size misoriented_edges = 0;     ///< whose two faces run along it the same way
};

/// Throws DataError for a mesh that is not valid. Degenerate faces count among the faces, and their proper
/// edges among the edges. Time O(F log F).
[[nodiscard]] MeshReport report_mesh(const TriangleMesh& mesh);

}  // namespace tarn
