#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/graph/graph.hpp"

#include <vector>

namespace tarn::tests {

/// Edges between random nodes, each in both directions; loops and multiple edges occur.
inline Graph random_symmetric_graph(Size num_nodes, Size num_pairs, std::uint64_t seed) {
  const Rng rng(seed);
  std::vector<NodeId> from, to;
  for (Size e = 0; e < num_pairs; ++e) {
    const auto a = static_cast<NodeId>(rng.below(num_nodes, static_cast<std::uint64_t>(2 * e)));
    const auto b = static_cast<NodeId>(rng.below(num_nodes, static_cast<std::uint64_t>(2 * e + 1)));
    from.insert(from.end(), {a, b});
    to.insert(to.end(), {b, a});
  }
  return Graph::from_edges(num_nodes, from, to);
}

/// One weight per edge in canonical order, the same in both directions, no two pairs with the same one.
inline std::vector<double> symmetric_weights(const Graph& graph) {
  std::vector<double> weights;
  const auto targets = graph.targets();
  for (std::size_t e = 0; e < targets.size(); ++e) {
    const Size low = std::min(graph.sources()[e], targets[e]);
    const Size high = std::max(graph.sources()[e], targets[e]);
    weights.push_back(Rng(9).uniform(static_cast<std::uint64_t>(low * graph.num_nodes() + high)));
  }
  return weights;
}

}  // namespace tarn::tests
