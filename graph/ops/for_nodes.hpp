#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/graph/graph.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

/// Runs of nodes of about 2048 edges and nodes together, so that a hub does not hold up a block of its own
/// size. They depend on the graph alone.
class NodeBlocks {
 public:
  explicit NodeBlocks(const Adjacency& adjacency) : offsets_(adjacency.offsets) {}
  [[nodiscard]] Size count() const { return nodes() > 0 ? work_before(nodes()) / work_each + 1 : 0; }
  [[nodiscard]] Rows operator[](Size block) const {
    return {first_from(block * work_each),
            block + 1 == count() ? nodes() : first_from((block + 1) * work_each)};
  }

 private:
  static constexpr Size work_each = 2048;
  [[nodiscard]] Size nodes() const { return static_cast<Size>(offsets_.size()) - 1; }
  [[nodiscard]] Size work_before(Size i) const { return offsets_[static_cast<std::size_t>(i)] + i; }
  [[nodiscard]] Size first_from(Size work) const {
    Size low = 0, high = nodes();
    while (low < high) {
      const Size middle = (low + high) / 2;
      if (work_before(middle) < work) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  std::span<const Size> offsets_;
};

/// Calls f(begin, end) for these runs of nodes, in parallel.
template <class F>
void for_node_blocks(const Adjacency& adjacency, F f) {
  const NodeBlocks blocks(adjacency);
  for_blocks(blocks.count(), 1, [&](Size block, Size) {
    const Rows nodes = blocks[block];
    if (nodes.size() > 0) f(nodes.begin, nodes.end);
  });
}

/// Sums [width] over all nodes in double: f(nodes, sum) adds those of a run of nodes, and runs are joined in
/// order.
template <class F>
std::vector<double> sum_over_nodes(const Adjacency& adjacency, Size width, F f) {
  const NodeBlocks blocks(adjacency);
  std::vector<double> parts(static_cast<std::size_t>(std::max<Size>(blocks.count(), 1) * width), 0.0);
  for_blocks(blocks.count(), 1, [&](Size block, Size) { f(blocks[block], parts.data() + block * width); });
  for (Size block = 1; block < blocks.count(); ++block) {
    for (Size j = 0; j < width; ++j) {
      parts[static_cast<std::size_t>(j)] += parts[static_cast<std::size_t>(block * width + j)];
    }
  }
  parts.resize(static_cast<std::size_t>(width));
  return parts;
}

/// The same node by node.
template <class F>
void for_nodes(const Adjacency& adjacency, F f) {
  for_node_blocks(adjacency, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace tarn
