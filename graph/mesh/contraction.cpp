#include "tarn/graph/mesh/contraction.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/mesh/disjoint_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// How many of E edges go.
Size num_to_contract(const EdgePoolOptions& o, Size num_edges) {
  if (o.num_primal_edges_to_keep) return std::max<Size>(0, num_edges - *o.num_primal_edges_to_keep);
  // In double and in this form: 0.8 of 750 leaves 149 to go, since 1 - 0.8 is a little below 0.2.
  return static_cast<Size>((1.0 - *o.fraction_primal_edges_to_keep) * static_cast<double>(num_edges));
}

/// Takes edges of the order that touch none taken before.
std::vector<NodeId> take_apart(std::span<const UndirectedEdge> edges, std::span<const NodeId> order,
                               Size num_nodes, Size count, OnShortfall on_shortfall) {
  std::vector<bool> taken(idx(num_nodes), false);
  std::vector<NodeId> chosen;
  for (const NodeId e : order) {
    if (static_cast<Size>(chosen.size()) == count) break;
    const UndirectedEdge& edge = edges[idx(e)];
    if (taken[idx(edge.low)] || taken[idx(edge.high)]) continue;
    taken[idx(edge.low)] = taken[idx(edge.high)] = true;
    chosen.push_back(e);
  }
  if (static_cast<Size>(chosen.size()) < count && on_shortfall == OnShortfall::error) {
    throw ValueError(fmt::format(
        "dual-primal-edge-pool: {} edges without a common node among {}; expected {} (keep more edges, allow "
        "consecutive ones, or set on_shortfall = \"stop\")",
        chosen.size(), edges.size(), count));
  }
  return chosen;
}

/// Old pairs between different clusters, sorted by the new pair they make.
struct Crossing {
  NodePair clusters;
  NodeId edge;
};

std::vector<Crossing> sorted_by(const std::vector<Crossing>& crossings, std::size_t side, Size num_clusters) {
  std::vector<Size> place(idx(num_clusters) + 1, 0);
  for (const Crossing& c : crossings) ++place[idx(c.clusters[side]) + 1];
  std::partial_sum(place.begin(), place.end(), place.begin());
  std::vector<Crossing> sorted(crossings.size());
  for (const Crossing& c : crossings) sorted[idx(place[idx(c.clusters[side])]++)] = c;
  return sorted;
}

}  // namespace

std::vector<UndirectedEdge> undirected_edges(const PrimalDualGraph& graph, Size mesh) {
  std::vector<UndirectedEdge> edges;
  const Adjacency in = graph.primal().incoming();
  const Rows nodes = graph.sets().rows(mesh);
  const auto local = [&](Size node) { return static_cast<NodeId>(node - nodes.begin); };
  for (Size i = nodes.begin; i < nodes.end; ++i) {
    const Rows run = in.positions(i);
    for (Size p = run.begin; p < run.end; ++p) {
      const NodeId j = in.nodes[idx(p)];
      if (j < i) continue;
      const auto back = idx(graph.opposite_at()[idx(p)]);  // i -> j, where p is j -> i
      edges.push_back({local(i), local(j), graph.edge_at()[back], graph.edge_at()[idx(p)],
                       graph.dual_at()[back], graph.dual_at()[idx(p)]});
    }
  }
  return edges;
}

ContractedMesh contract(std::span<const UndirectedEdge> edges, std::span<const NodeId> chosen,
                        Size num_nodes) {
  DisjointSets sets(num_nodes);
  for (const NodeId e : chosen) sets.unite(edges[idx(e)].low, edges[idx(e)].high);
  ContractedMesh result;
  result.cluster.resize(idx(num_nodes));
  for (NodeId i = 0; i < num_nodes; ++i) {
    const NodeId smallest = sets.find(i);
    result.cluster[idx(i)] =
        smallest == i ? static_cast<NodeId>(result.num_clusters++) : result.cluster[idx(smallest)];
  }
  std::vector<Crossing> crossings;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const NodeId a = result.cluster[idx(edges[e].low)], b = result.cluster[idx(edges[e].high)];
    if (a != b) crossings.push_back({{std::min(a, b), std::max(a, b)}, static_cast<NodeId>(e)});
  }
  crossings = sorted_by(sorted_by(crossings, 1, result.num_clusters), 0, result.num_clusters);
  result.new_pair_of.assign(edges.size(), -1);
  for (const Crossing& c : crossings) {
    if (result.pairs.empty() || result.pairs.back() != c.clusters) result.pairs.push_back(c.clusters);
    result.new_pair_of[idx(c.edge)] = static_cast<NodeId>(result.pairs.size()) - 1;
  }
  return result;
}

inline namespace TARN_PRECISION {

std::vector<Real> edge_scores(std::span<const UndirectedEdge> edges, ConstMatrixView attention,
                              double add_to_each) {
  const auto constant = static_cast<Real>(add_to_each);
  const auto mean = [&](Size row) {
    Real sum = 0;
    for (Size h = 0; h < attention.cols; ++h) sum += attention(row, h);
    return sum / static_cast<Real>(attention.cols);
  };
  std::vector<Real> scores;
  scores.reserve(edges.size());
  for (const UndirectedEdge& e : edges) {
    scores.push_back(((mean(e.forward) + constant) + (mean(e.backward) + constant)) / 2);
    if (!std::isnan(scores.back())) continue;
    throw ValueError(fmt::format(
        "dual-primal-edge-pool: attention of edges {} and {} gives a score of nan; expected numbers",
        e.forward, e.backward));
  }
  return scores;
}

std::vector<NodeId> choose_edges(std::span<const UndirectedEdge> edges, std::span<const Real> scores,
                                 Size num_nodes, const EdgePoolOptions& o) {
  const bool descending = o.use_decreasing_attention_coefficient;
  std::vector<NodeId> order(edges.size());
  std::iota(order.begin(), order.end(), 0);
  if (o.primal_att_coeff_threshold) {
    const auto t = static_cast<Real>(*o.primal_att_coeff_threshold);
    std::erase_if(order, [&](NodeId e) { return !(descending ? scores[idx(e)] > t : scores[idx(e)] < t); });
    return order;
  }
  const Size count = num_to_contract(o, static_cast<Size>(edges.size()));
  const auto before = [&](NodeId a, NodeId b) {
    const Real x = scores[idx(a)], y = scores[idx(b)];
    return x != y ? (descending ? x > y : x < y) : a < b;
  };
  if (!o.allow_pooling_consecutive_edges) {
    std::sort(order.begin(), order.end(), before);
    return take_apart(edges, order, num_nodes, count, o.on_shortfall);
  }
  if (count < static_cast<Size>(order.size()))
    std::nth_element(order.begin(), order.begin() + count, order.end(), before);
  order.resize(idx(count));
  return order;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
