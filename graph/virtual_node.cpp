#include "tarn/graph/virtual_node.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/per_set.hpp"
#include "tarn/core/ops/segment.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

void require_width(const char* what, Var v, Size channels) {
  if (v.shape().rank() == 2 && v.cols() == channels) return;
  throw ShapeError(
      fmt::format("virtual-node: {} is {}; expected width {} (channels)", what, v.shape().text(), channels));
}

NodeId largest_type(std::span<const NodeId> types) {
  NodeId largest = -1;
  for (std::size_t e = 0; e < types.size(); ++e) {
    if (types[e] < 0) {
      throw ValueError(fmt::format("virtual-node: edge {} has type {}; expected at least 0", e, types[e]));
    }
    largest = std::max(largest, types[e]);
  }
  return largest;
}

}  // namespace

inline namespace TARN_PRECISION {

VirtualNode::VirtualNode(const Options& o)
    : o_(o),
      mlp_(child("mlp", std::make_unique<Chain>(
                            std::initializer_list<Size>{o.channels, 2 * o.channels, o.channels},
                            o.norm == VirtualNodeNorm::none ? ChainNorm::none : ChainNorm::batch_norm,
                            Activation::relu, ChainEnd::activation))) {
  check_options(o, "virtual-node");
}

Var VirtualNode::read(Var x, Var state, const Segments& sets) const {
  require_width("x", x, o_.channels);
  require_width("state", state, o_.channels);
  sets.require_cover("virtual-node", x.rows());
  if (state.rows() != sets.count()) {
    throw ShapeError(fmt::format("virtual-node: state is {} for {} graphs; expected [{}, {}]",
                                 state.shape().text(), sets.count(), sets.count(), o_.channels));
  }
  return add_per_set(x, state, sets);
}

Var VirtualNode::write(Var y, Var state, const Segments& sets) {
  const Var seen = add(segment_reduce(y, sets, Reduce::sum), state);  // [B, C]
  const Var next = dropout(mlp_.forward(seen, "virtual-node"), o_.dropout);
  return o_.residual ? add(state, next) : next;
}

}  // namespace TARN_PRECISION

WithVirtualNodes add_virtual_nodes(const Graph& graph, const Segments& sets,
                                   std::span<const NodeId> edge_types) {
  require_edges_inside("virtual-node", graph, sets);
  const Size edges = graph.num_edges();
  if (!edge_types.empty() && static_cast<Size>(edge_types.size()) != edges) {
    throw ShapeError(
        fmt::format("virtual-node: {} edge types for {} edges; expected one each", edge_types.size(), edges));
  }
  const std::vector<NodeId> zeros(edge_types.empty() ? static_cast<std::size_t>(edges) : 0, 0);
  const std::span<const NodeId> types = edge_types.empty() ? std::span<const NodeId>(zeros) : edge_types;
  const NodeId to_new = largest_type(types) + 1, from_new = to_new + 1;

  std::vector<NodeId> from, to, given_types;
  std::vector<Size> offsets{0};
  const auto add_edge = [&](Size source, Size target, NodeId type) {
    from.push_back(static_cast<NodeId>(source));
    to.push_back(static_cast<NodeId>(target));
    given_types.push_back(type);
  };
  const Adjacency in = graph.incoming();
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    const Size fresh = rows.end + b;  // every graph before this one has grown by one node
    for (Size i = rows.begin; i < rows.end; ++i) {
      const Rows run = in.positions(i);
      for (Size e = run.begin; e < run.end; ++e) {
        const auto at = static_cast<std::size_t>(e);
        add_edge(in.nodes[at] + b, i + b, types[at]);
      }
    }
    for (Size i = rows.begin; i < rows.end; ++i) {
      add_edge(i + b, fresh, to_new);
      add_edge(fresh, i + b, from_new);
    }
    offsets.push_back(fresh + 1);
  }
  WithVirtualNodes result{Graph::from_edges(offsets.back(), from, to), Segments(offsets), {}};
  result.edge_types.reserve(given_types.size());
  for (const NodeId e : result.graph.given_order()) {
    result.edge_types.push_back(given_types[static_cast<std::size_t>(e)]);
  }
  return result;
}

}  // namespace tarn
