#pragma once

#include "tarn/graph/mesh/triangle_mesh.hpp"

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tarn {

/// The 3F half-edges of a mesh: h = 3 f + c runs in face f from corner c to the next one.
///
/// Mesh edges are the undirected vertex pairs (a < b) that occur, numbered in lexicographic order. Built by
/// two passes of counting sort: time and memory O(V + F).
class HalfEdges {
 public:
  explicit HalfEdges(const TriangleMesh& mesh);

  [[nodiscard]] static Size face(Size h) { return h / 3; }
  [[nodiscard]] static Size next(Size h) { return h % 3 == 2 ? h - 2 : h + 1; }
  [[nodiscard]] static Size previous(Size h) { return h % 3 == 0 ? h + 2 : h - 1; }
  [[nodiscard]] Size count() const { return static_cast<Size>(edge_.size()); }
  /// Vertex where h starts.
  [[nodiscard]] NodeId start(Size h) const { return corners_[static_cast<std::size_t>(h)]; }
  [[nodiscard]] NodeId end(Size h) const { return start(next(h)); }

  [[nodiscard]] Size num_edges() const { return static_cast<Size>(offsets_.size()) - 1; }
  /// The mesh edge of a half-edge.
  [[nodiscard]] NodeId edge(Size h) const { return edge_[static_cast<std::size_t>(h)]; }
  /// Half-edges of a mesh edge, ascending, whichever way they run.
  [[nodiscard]] std::span<const NodeId> around(Size edge) const;
  /// The smaller and the larger vertex of a mesh edge.
  [[nodiscard]] std::pair<NodeId, NodeId> ends(Size edge) const;
  /// The half-edge of the only other face at this edge; -1 at the boundary, and where more than two faces
  /// meet.
  [[nodiscard]] Size twin(Size h) const;

 private:
  std::vector<NodeId> corners_;  // [3F]
  std::vector<NodeId> edge_;     // [3F]
  std::vector<NodeId> sorted_;   // [3F] half-edges by mesh edge
  std::vector<NodeId> offsets_;  // [M+1] into sorted_
};

/// Throws DataError, naming `where` and the vertices, for a mesh edge with more than two faces, or with two
/// whose half-edges run the same way.
void require_manifold_edges(std::string_view where, const HalfEdges& half_edges);

}  // namespace tarn
