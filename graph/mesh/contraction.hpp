#pragma once

#include "tarn/graph/mesh/edge_pool.hpp"

#include <span>
#include <vector>

/// Inside of `pool_edges`: what is chosen and what follows from it, mesh by mesh.
namespace tarn {

/// A pair of neighbours of one mesh, in canonical order.
struct UndirectedEdge {
  NodeId low, high;          ///< nodes, counted inside the mesh
  NodeId forward, backward;  ///< rows of attention: low -> high and back
  NodeId forward_dual, backward_dual;
};

/// The pairs of mesh `mesh` in canonical order.
[[nodiscard]] std::vector<UndirectedEdge> undirected_edges(const PrimalDualGraph& graph, Size mesh);

inline namespace TARN_PRECISION {
/// Score of each pair, in the working type. Throws ValueError naming the pair whose score is NaN.
[[nodiscard]] std::vector<Real> edge_scores(std::span<const UndirectedEdge> edges, ConstMatrixView attention,
                                            double add_to_each);

/// The pairs to contract, in no particular order.
[[nodiscard]] std::vector<NodeId> choose_edges(std::span<const UndirectedEdge> edges,
                                               std::span<const Real> scores, Size num_nodes,
                                               const EdgePoolOptions& options);
}  // namespace TARN_PRECISION

/// One mesh after contraction.
struct ContractedMesh {
  Size num_clusters = 0;
  std::vector<NodeId> cluster;      ///< [nodes]
  std::vector<NodePair> pairs;      ///< of neighbouring clusters, ascending
  std::vector<NodeId> new_pair_of;  ///< [old pairs]; -1 inside a cluster
};

[[nodiscard]] ContractedMesh contract(std::span<const UndirectedEdge> edges, std::span<const NodeId> chosen,
                                      Size num_nodes);

}  // namespace tarn
