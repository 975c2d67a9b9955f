#pragma once

#include "tarn/graph/graph.hpp"

#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>

#include <utility>

/// Lets Boost.Graph's algorithms run on a Graph without a copy. Models IncidenceGraph, BidirectionalGraph,
/// AdjacencyGraph, VertexListGraph and EdgeListGraph; edge data in canonical order become a property map by
///
///   boost::make_iterator_property_map(weights.begin(), get(boost::edge_index, graph))
///
/// Heavy: include it only in the sources that call an algorithm, one algorithm per source.
namespace tarn {

struct EdgeDescriptor {
  NodeId source = -1;
  NodeId target = -1;
  NodeId index = -1;  ///< canonical
  friend bool operator==(const EdgeDescriptor& a, const EdgeDescriptor& b) { return a.index == b.index; }
  friend bool operator!=(const EdgeDescriptor& a, const EdgeDescriptor& b) { return a.index != b.index; }
  friend bool operator<(const EdgeDescriptor& a, const EdgeDescriptor& b) { return a.index < b.index; }
};

namespace detail {

enum class Direction { out, in };

/// Walks the edges of one row of an adjacency.
template <Direction direction>
class RowIterator final : public boost::iterator_facade<RowIterator<direction>, EdgeDescriptor,
                                                        boost::random_access_traversal_tag, EdgeDescriptor> {
 public:
  RowIterator() = default;
  RowIterator(NodeId node, const NodeId* other, const NodeId* edge)
      : node_(node), other_(other), edge_(edge) {}

 private:
  friend class boost::iterator_core_access;
  [[nodiscard]] EdgeDescriptor dereference() const {
    if constexpr (direction == Direction::out) return {node_, *other_, *edge_};
    return {*other_, node_, *edge_};
  }
  [[nodiscard]] bool equal(const RowIterator& other) const { return other_ == other.other_; }
  void increment() { advance(1); }
  void decrement() { advance(-1); }
  void advance(std::ptrdiff_t steps) {
    other_ += steps;
    edge_ += steps;
  }
  [[nodiscard]] std::ptrdiff_t distance_to(const RowIterator& other) const { return other.other_ - other_; }

  NodeId node_ = -1;
  const NodeId* other_ = nullptr;
  const NodeId* edge_ = nullptr;
};

/// Walks all edges in canonical order.
class EdgeIterator final : public boost::iterator_facade<EdgeIterator, EdgeDescriptor,
                                                         boost::forward_traversal_tag, EdgeDescriptor> {
 public:
  EdgeIterator() = default;
  EdgeIterator(const Adjacency& incoming, Size index)
      : row_ends_(incoming.offsets.data() + 1), sources_(incoming.nodes.data()), index_(index) {}

 private:
  friend class boost::iterator_core_access;
  [[nodiscard]] EdgeDescriptor dereference() const {
    while (row_ends_[target_] <= index_) ++target_;
    return {sources_[index_], target_, static_cast<NodeId>(index_)};
  }
  [[nodiscard]] bool equal(const EdgeIterator& other) const { return index_ == other.index_; }
  void increment() { ++index_; }

  const Size* row_ends_ = nullptr;
  const NodeId* sources_ = nullptr;
  Size index_ = 0;
  mutable NodeId target_ = 0;  // catches up when an edge is looked at: past the last edge there is no row
};

template <Direction direction>
[[nodiscard]] std::pair<RowIterator<direction>, RowIterator<direction>> row_range(const Adjacency& adjacency,
                                                                                  NodeId node) {
  const Rows row = adjacency.positions(node);
  const NodeId* nodes = adjacency.nodes.data();
  const NodeId* edges = adjacency.edges.data();
  return {{node, nodes + row.begin, edges + row.begin}, {node, nodes + row.end, edges + row.end}};
}

/// Reads the canonical index of an edge.
struct EdgeIndexMap {
  using key_type = EdgeDescriptor;
  using value_type = NodeId;
  using reference = NodeId;
  using category = boost::readable_property_map_tag;
  friend NodeId get(const EdgeIndexMap&, const EdgeDescriptor& edge) { return edge.index; }
  NodeId operator[](const EdgeDescriptor& edge) const { return edge.index; }
};

}  // namespace detail
}  // namespace tarn

namespace boost {

template <>
struct graph_traits<tarn::Graph> {
  using vertex_descriptor = tarn::NodeId;
  using edge_descriptor = tarn::EdgeDescriptor;
  using directed_category = bidirectional_tag;
  using edge_parallel_category = allow_parallel_edge_tag;
  struct traversal_category : bidirectional_graph_tag,
                              adjacency_graph_tag,
                              vertex_list_graph_tag,
                              edge_list_graph_tag {};
  using out_edge_iterator = tarn::detail::RowIterator<tarn::detail::Direction::out>;
  using in_edge_iterator = tarn::detail::RowIterator<tarn::detail::Direction::in>;
  using adjacency_iterator = const tarn::NodeId*;
  using vertex_iterator = counting_iterator<tarn::NodeId>;
  using edge_iterator = tarn::detail::EdgeIterator;
  using degree_size_type = std::size_t;
  using vertices_size_type = std::size_t;
  using edges_size_type = std::size_t;
  static vertex_descriptor null_vertex() { return -1; }
};

template <>
struct property_map<tarn::Graph, vertex_index_t> {
  using type = typed_identity_property_map<tarn::NodeId>;
  using const_type = type;
};
template <>
struct property_map<const tarn::Graph, vertex_index_t> : property_map<tarn::Graph, vertex_index_t> {};

template <>
struct property_map<tarn::Graph, edge_index_t> {
  using type = tarn::detail::EdgeIndexMap;
  using const_type = type;
};
template <>
struct property_map<const tarn::Graph, edge_index_t> : property_map<tarn::Graph, edge_index_t> {};

}  // namespace boost

namespace tarn {

using GraphTraits = boost::graph_traits<Graph>;

// === VertexListGraph, EdgeListGraph

inline std::size_t num_vertices(const Graph& graph) {
  return static_cast<std::size_t>(graph.num_nodes());
}
inline std::pair<GraphTraits::vertex_iterator, GraphTraits::vertex_iterator> vertices(const Graph& graph) {
  return {GraphTraits::vertex_iterator(0),
          GraphTraits::vertex_iterator(static_cast<NodeId>(graph.num_nodes()))};
}
inline std::size_t num_edges(const Graph& graph) {
  return static_cast<std::size_t>(graph.num_edges());
}
inline std::pair<detail::EdgeIterator, detail::EdgeIterator> edges(const Graph& graph) {
  const Adjacency incoming = graph.incoming();
  return {detail::EdgeIterator(incoming, 0), detail::EdgeIterator(incoming, graph.num_edges())};
}

// === IncidenceGraph, BidirectionalGraph, AdjacencyGraph

inline NodeId source(const EdgeDescriptor& edge, const Graph&) {
  return edge.source;
}
inline NodeId target(const EdgeDescriptor& edge, const Graph&) {
  return edge.target;
}
inline auto out_edges(NodeId node, const Graph& graph) {
  return detail::row_range<detail::Direction::out>(graph.outgoing(), node);
}
inline auto in_edges(NodeId node, const Graph& graph) {
  return detail::row_range<detail::Direction::in>(graph.incoming(), node);
}
inline std::size_t out_degree(NodeId node, const Graph& graph) {
  return static_cast<std::size_t>(graph.outgoing().positions(node).size());
}
inline std::size_t in_degree(NodeId node, const Graph& graph) {
  return static_cast<std::size_t>(graph.incoming().positions(node).size());
}
inline std::size_t degree(NodeId node, const Graph& graph) {
  return in_degree(node, graph) + out_degree(node, graph);
}
inline std::pair<const NodeId*, const NodeId*> adjacent_vertices(NodeId node, const Graph& graph) {
  const Adjacency outgoing = graph.outgoing();
  const Rows row = outgoing.positions(node);
  return {outgoing.nodes.data() + row.begin, outgoing.nodes.data() + row.end};
}

// === Property maps

inline boost::typed_identity_property_map<NodeId> get(boost::vertex_index_t, const Graph&) {
  return {};
}
inline NodeId get(boost::vertex_index_t, const Graph&, NodeId node) {
  return node;
}
inline detail::EdgeIndexMap get(boost::edge_index_t, const Graph&) {
  return {};
}
inline NodeId get(boost::edge_index_t, const Graph&, const EdgeDescriptor& edge) {
  return edge.index;
}

}  // namespace tarn
