#pragma once

#include "tarn/graph/mesh/half_edges.hpp"

#include <span>
#include <vector>

namespace tarn {

/// Mesh edges in the order of MeshCNN's label files: faces in order, in each the half-edges (0,1), (1,2),
/// (2,0), a new number at first sight. Entry e is the number in lexicographic order of the edge that comes
/// e-th. [M]
[[nodiscard]] std::vector<NodeId> first_sight_order(const HalfEdges& half_edges);

struct FaceLabels {
  std::vector<Size> labels;     ///< [F]
  std::vector<bool> ambiguous;  ///< [F] its three edges have three labels
};

/// Labels of faces from those of their edges [M] in lexicographic order: the one that two or three edges
/// have, or that of the edge (v0, v1) if all differ. Throws ShapeError for another number of labels.
[[nodiscard]] FaceLabels face_labels_from_edges(const HalfEdges& half_edges,
                                                std::span<const Size> edge_labels);

struct SoftEdgeLabels {
  Size num_classes = 0;
  std::vector<double> weights;  ///< [M, K]: each face at an edge adds 1 / (faces there) to its class
  std::vector<double>
      areas;  ///< [M]: a third of the areas of the faces at an edge, over the area of the mesh

  [[nodiscard]] std::span<const double> of(Size edge) const {
    const auto k = static_cast<std::size_t>(num_classes);
    return std::span(weights).subspan(static_cast<std::size_t>(edge) * k, k);
  }
};

/// Labels of mesh edges, in lexicographic order, from those of faces [F]. Throws ShapeError for another
/// number of labels and ValueError, naming the face, for a class outside 0 .. K-1.
[[nodiscard]] SoftEdgeLabels edge_labels_from_faces(const TriangleMesh& mesh, const HalfEdges& half_edges,
                                                    std::span<const Size> labels, Size num_classes);

}  // namespace tarn
