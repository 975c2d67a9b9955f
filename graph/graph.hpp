#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/view.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// One direction of a graph in compressed rows: the edges at node i are positions
/// offsets[i] .. offsets[i+1]-1.
struct Adjacency {
  std::span<const Size> offsets;  ///< [N+1]
  std::span<const NodeId> nodes;  ///< [E] the other end of each edge
  std::span<const NodeId> edges;  ///< [E] canonical index of each edge: its row in edge data

  [[nodiscard]] Rows positions(Size node) const {
    const auto i = static_cast<std::size_t>(node);
    return {offsets[i], offsets[i + 1]};
  }
};

/// A directed graph with both directions in compressed rows. Immutable; copying copies a handle.
///
/// Messages run from an edge's source to its target. Edges have one canonical order: by target, then source,
/// then as given; data of edges live outside as [E, F] in that order. Loops and multiple edges are allowed.
class Graph {
 public:
  struct Storage;

  /// No nodes, no edges.
  Graph();
  /// Edge e runs from[e] -> to[e]; edges come in any order. Throws ShapeError if the lists differ in length
  /// and ValueError naming the first edge that leaves [0, num_nodes). Time O(N + E).
  [[nodiscard]] static Graph from_edges(Size num_nodes, std::span<const NodeId> from,
                                        std::span<const NodeId> to);
  /// Takes over the rows of a symmetric graph, each sorted by node: the same arrays serve both directions.
  /// Builders that know their graph is symmetric end here; only the offsets are checked.
  [[nodiscard]] static Graph from_symmetric_csr(std::vector<Size> offsets, std::vector<NodeId> nodes);
  /// Takes over rows by target, each sorted by source; only the offsets are checked. The other direction is
  /// built on first use.
  [[nodiscard]] static Graph from_csr(std::vector<Size> offsets, std::vector<NodeId> sources);
  /// One block-diagonal graph: the nodes of graphs[b] are set b. Time O(N + E). See GraphJoiner for repeated
  /// use.
  [[nodiscard]] static Graph join(std::span<const Graph> graphs);

  [[nodiscard]] Size num_nodes() const;
  [[nodiscard]] Size num_edges() const;
  /// Rows by target: nodes are sources, edges count 0 .. E-1.
  [[nodiscard]] Adjacency incoming() const;
  /// Rows by source, sorted by target. Built on first use, which may be on several threads at once.
  [[nodiscard]] Adjacency outgoing() const;
  /// Source of each canonical edge [E].
  [[nodiscard]] std::span<const NodeId> sources() const;
  /// Target of each canonical edge [E]; made anew by each call.
  [[nodiscard]] std::vector<NodeId> targets() const;
  /// given_order()[e] is the place of canonical edge e in the lists that from_edges got; empty for graphs
  /// that were not made from lists.
  [[nodiscard]] std::span<const NodeId> given_order() const;
  /// True if the graph is known to be symmetric; false says nothing.
  [[nodiscard]] bool known_symmetric() const;
  /// Bytes that this graph holds, the outgoing direction included once it is built.
  [[nodiscard]] Size bytes() const;

 private:
  friend class GraphJoiner;
  explicit Graph(std::shared_ptr<Storage> storage) : storage_(std::move(storage)) {}
  static std::shared_ptr<Storage> take_rows(std::vector<Size> offsets, std::vector<NodeId> sources);
  std::shared_ptr<Storage> storage_;
};

/// Joins graphs again and again, as a training loop does with its batches: the arrays of a joined graph are
/// used again once nobody holds it, so that a steady state allocates nothing. For one thread.
class GraphJoiner {
 public:
  [[nodiscard]] Graph join(std::span<const Graph> graphs);

 private:
  std::vector<std::shared_ptr<Graph::Storage>> pool_;
};

/// Throws ShapeError, naming `where`, unless the sets cover the nodes exactly, and ValueError naming the
/// first edge that joins two sets.
void require_edges_inside(std::string_view where, const Graph& graph, const Segments& sets);

inline namespace TARN_PRECISION {

/// Edge data [E, F] from the order of the lists that the graph was made from to its canonical order.
void to_canonical_order(const Graph& graph, ConstMatrixView given, MatrixView canonical);

}  // namespace TARN_PRECISION
}  // namespace tarn
