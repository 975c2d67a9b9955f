#include "tarn/graph/mesh/mesh_labels.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

std::vector<NodeId> first_sight_order(const HalfEdges& half_edges) {
  std::vector<NodeId> order;
  std::vector<bool> seen(idx(half_edges.num_edges()), false);
  for (Size h = 0; h < half_edges.count(); ++h) {
    const NodeId edge = half_edges.edge(h);
    if (seen[idx(edge)]) continue;
    seen[idx(edge)] = true;
    order.push_back(edge);
  }
  return order;
}

FaceLabels face_labels_from_edges(const HalfEdges& half_edges, std::span<const Size> edge_labels) {
  if (static_cast<Size>(edge_labels.size()) != half_edges.num_edges()) {
    throw ShapeError(fmt::format("mesh-edge-to-face-labels: {} labels for {} mesh edges; expected one each",
                                 edge_labels.size(), half_edges.num_edges()));
  }
  FaceLabels result;
  for (Size h = 0; h < half_edges.count(); h += 3) {
    const auto label = [&](Size c) { return edge_labels[idx(half_edges.edge(h + c))]; };
    const Size first = label(0), second = label(1), third = label(2);
    result.labels.push_back(second == third ? second : first);
    result.ambiguous.push_back(first != second && second != third && third != first);
  }
  return result;
}

SoftEdgeLabels edge_labels_from_faces(const TriangleMesh& mesh, const HalfEdges& half_edges,
                                      std::span<const Size> labels, Size num_classes) {
  if (static_cast<Size>(labels.size()) != mesh.num_faces()) {
    throw ShapeError(fmt::format("mesh-face-to-edge-labels: {} labels for {} faces; expected one each",
                                 labels.size(), mesh.num_faces()));
  }
  std::vector<double> areas;
  for (Size f = 0; f < mesh.num_faces(); ++f) {
    const Size label = labels[idx(f)];
    if (label < 0 || label >= num_classes) {
      throw ValueError(fmt::format("mesh-face-to-edge-labels: face {} has class {}; expected 0 to {}", f,
                                   label, num_classes - 1));
    }
    areas.push_back(face_area(mesh, f));
  }
  const double total = std::accumulate(areas.begin(), areas.end(), 0.0);
  const auto k = idx(num_classes);
  SoftEdgeLabels result{num_classes, std::vector<double>(idx(half_edges.num_edges()) * k, 0.0),
                        std::vector<double>(idx(half_edges.num_edges()), 0.0)};
  for (Size e = 0; e < half_edges.num_edges(); ++e) {
    const auto here = half_edges.around(e);
    for (const NodeId h : here) {
      const Size f = HalfEdges::face(h);
      result.weights[idx(e) * k + idx(labels[idx(f)])] += 1 / static_cast<double>(here.size());
      result.areas[idx(e)] += areas[idx(f)] / 3;
    }
    if (total > 0) result.areas[idx(e)] /= total;
  }
  return result;
}

}  // namespace tarn
