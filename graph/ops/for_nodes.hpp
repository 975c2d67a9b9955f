#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/graph/graph.hpp"

#include <algorithm>

namespace tarn {

/// Calls f(begin, end) for runs of nodes of about 2048 edges and nodes together, in parallel, so that a hub
/// does not hold up a block of its own size. Blocks depend on the graph alone.
template <class F>
void for_node_blocks(const Adjacency& adjacency, F f) {
  constexpr Size edges_per_block = 2048;
  const Size nodes = static_cast<Size>(adjacency.offsets.size()) - 1;
  if (nodes <= 0) return;
  const auto work_before = [&](Size i) { return adjacency.offsets[static_cast<std::size_t>(i)] + i; };
  const auto first_from = [&](Size work) {
    Size low = 0, high = nodes;
    while (low < high) {
      const Size middle = (low + high) / 2;
      if (work_before(middle) < work) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  const Size blocks = work_before(nodes) / edges_per_block + 1;
  for_blocks(blocks, 1, [&](Size block, Size) {
    const Size begin = first_from(block * edges_per_block);
    const Size end = block + 1 == blocks ? nodes : first_from((block + 1) * edges_per_block);
    if (begin < end) f(begin, end);
  });
}

/// The same node by node.
template <class F>
void for_nodes(const Adjacency& adjacency, F f) {
  for_node_blocks(adjacency, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace tarn
