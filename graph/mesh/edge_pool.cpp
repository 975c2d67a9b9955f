#include "tarn/graph/mesh/edge_pool.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/graph/mesh/contraction.hpp"
#include "tarn/graph/mesh/gate_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

constexpr const char* owner = "dual-primal-edge-pool";

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// One mesh of the batch before and after.
struct MeshPool {
  std::vector<UndirectedEdge> edges;
  std::vector<NodeId> chosen;
  ContractedMesh contracted;
};

/// Every node its own cluster; every dual node stays.
PoolRecord unchanged(const PrimalDualGraph& graph) {
  const auto identity = [](Size count) {
    std::vector<NodeId> all(idx(count));
    std::iota(all.begin(), all.end(), 0);
    return std::make_shared<const RowClusters>(std::move(all), count);
  };
  return {identity(graph.num_nodes()), identity(graph.num_dual_nodes()), false};
}

PrimalDualGraph build_pooled(std::span<const MeshPool> meshes, const EdgePoolOptions& o) {
  std::vector<PrimalPairs> parts;
  for (const MeshPool& m : meshes) parts.push_back({m.contracted.num_clusters, m.contracted.pairs});
  return PrimalDualGraph::build(parts, o.configuration, o.dual_self_loops ? DualLoops::yes : DualLoops::no);
}

/// Old rows to new ones over the whole batch.
PoolRecord record_of(std::span<const MeshPool> meshes, const PrimalDualGraph& before,
                     const PrimalDualGraph& after) {
  std::vector<NodeId> cluster(idx(before.num_nodes())), dual_cluster(idx(before.num_dual_nodes()), -1);
  const bool shared = before.configuration() == DualConfiguration::A;
  for_blocks(static_cast<Size>(meshes.size()), 1, [&](Size m, Size) {
    const MeshPool& mesh = meshes[idx(m)];
    const ContractedMesh& c = mesh.contracted;
    const auto first = static_cast<NodeId>(after.sets().rows(m).begin);
    const auto first_dual = static_cast<NodeId>(after.dual_sets().rows(m).begin);
    const auto num_pairs = static_cast<NodeId>(c.pairs.size());
    for (std::size_t i = 0; i < c.cluster.size(); ++i)
      cluster[idx(before.sets().rows(m).begin) + i] = first + c.cluster[i];
    for (std::size_t e = 0; e < mesh.edges.size(); ++e) {
      const NodeId pair = c.new_pair_of[e];
      if (pair < 0) continue;
      const UndirectedEdge& edge = mesh.edges[e];
      // The clusters may stand in the other order than their nodes.
      const bool turned = c.cluster[idx(edge.low)] > c.cluster[idx(edge.high)];
      const NodeId forward = first_dual + pair, backward = forward + (shared ? 0 : num_pairs);
      dual_cluster[idx(edge.forward_dual)] = turned ? backward : forward;
      dual_cluster[idx(edge.backward_dual)] = turned ? forward : backward;
    }
  });
  return {std::make_shared<const RowClusters>(std::move(cluster), after.num_nodes()),
          std::make_shared<const RowClusters>(std::move(dual_cluster), after.num_dual_nodes()), true};
}

/// The chosen edges of each new cluster, as rows of attention.
ContractedEdges contracted_edges(std::span<const MeshPool> meshes, const PrimalDualGraph& after) {
  ContractedEdges result;
  std::vector<NodeId> cluster_of;
  for (Size m = 0; m < static_cast<Size>(meshes.size()); ++m) {
    const MeshPool& mesh = meshes[idx(m)];
    for (const NodeId e : mesh.chosen) {
      const UndirectedEdge& edge = mesh.edges[idx(e)];
      result.rows.push_back({edge.forward, edge.backward});
      cluster_of.push_back(static_cast<NodeId>(after.sets().rows(m).begin) +
                           mesh.contracted.cluster[idx(edge.low)]);
    }
  }
  result.of_cluster = Groups(cluster_of, after.num_nodes());
  return result;
}

std::vector<MeshPool> contract_meshes(const PrimalDualGraph& graph, ConstMatrixView attention,
                                      const EdgePoolOptions& o) {
  std::vector<MeshPool> meshes(idx(graph.num_meshes()));
  for_blocks(graph.num_meshes(), 1, [&](Size m, Size) {
    MeshPool& mesh = meshes[idx(m)];
    const Size num_nodes = graph.sets().size(m);
    mesh.edges = undirected_edges(graph, m);
    const std::vector<Real> scores = edge_scores(mesh.edges, attention, o.add_to_primal_att_coeffs);
    mesh.chosen = choose_edges(mesh.edges, scores, num_nodes, o);
    std::sort(mesh.chosen.begin(), mesh.chosen.end());
    mesh.contracted = contract(mesh.edges, mesh.chosen, num_nodes);
  });
  return meshes;
}

}  // namespace

void check_pool_amount(std::string_view where, const PoolAmount& amount, const EdgePoolRules& rules,
                       AmountNeeded needed) {
  if (amount.given() > 1 || (amount.given() == 0 && needed == AmountNeeded::yes)) {
    throw ConfigError(
        fmt::format("{}: got {} of num_primal_edges_to_keep, fraction_primal_edges_to_keep and "
                    "primal_att_coeff_threshold; expected {} one",
                    where, amount.given(), needed == AmountNeeded::yes ? "exactly" : "at most"));
  }
  if (amount.primal_att_coeff_threshold && !rules.allow_pooling_consecutive_edges) {
    throw ConfigError(
        fmt::format("{}.allow_pooling_consecutive_edges: got false with a threshold; expected true, or "
                    "a number or fraction of edges to keep",
                    where));
  }
}

inline namespace TARN_PRECISION {

PooledDualPrimal pool_edges(const DualPrimal& in, Var attention, const EdgePoolOptions& o) {
  check_pool_amount(owner, o, o, AmountNeeded::yes);
  in.graph.require_opposites(owner);
  if (attention.rows() != in.graph.primal().num_edges() || attention.cols() < 1) {
    throw ShapeError(fmt::format("{}: attention is {}; expected [{}, H]", owner, attention.shape().text(),
                                 in.graph.primal().num_edges()));
  }
  const std::vector<MeshPool> meshes = contract_meshes(in.graph, attention.value(), o);
  const bool any =
      std::any_of(meshes.begin(), meshes.end(), [](const MeshPool& m) { return !m.chosen.empty(); });
  if (!any) return {in, unchanged(in.graph)};
  PooledDualPrimal result;
  result.pooled.graph = build_pooled(meshes, o);
  result.record = record_of(meshes, in.graph, result.pooled.graph);
  if (in.x.given()) result.pooled.x = merge_rows(in.x, result.record.clusters, o.aggr_primal_features);
  result.pooled.x_dual = merge_rows(in.x_dual, result.record.dual_clusters, o.aggr_dual_features);
  if (o.gate && in.x.given()) {
    const auto edges = std::make_shared<const ContractedEdges>(contracted_edges(meshes, result.pooled.graph));
    result.pooled.x = gate_rows(result.pooled.x, attention, edges, o.add_to_primal_att_coeffs);
  }
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
