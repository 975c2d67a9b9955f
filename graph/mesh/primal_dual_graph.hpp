#pragma once

#include "tarn/graph/graph.hpp"

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// How the dual graph hangs together. A: one node per pair of neighbours {i, j}, which receives from all
/// other pairs that hold i or j. B: one per direction; i -> j receives from m -> i and j -> n. C: i -> j
/// receives from m -> i alone. A direction and its opposite are never joined.
enum class DualConfiguration { A, B, C };
inline std::span<const std::string_view> enum_names(DualConfiguration) {
  static constexpr std::array<std::string_view, 3> names{"A", "B", "C"};
  return names;
}

enum class DualLoops { no, yes };

/// Two neighbouring nodes, the smaller one first.
using NodePair = std::array<NodeId, 2>;

/// One mesh as its primal graph alone: everything else follows from it.
struct PrimalPairs {
  Size num_nodes = 0;
  std::span<const NodePair> pairs;  ///< ascending, without repeats
};

/// The arrays of a batch of meshes as files and other programs know them.
struct PrimalDualArrays {
  std::vector<Size> offsets;         ///< [B+1] nodes of each mesh
  std::vector<Size> dual_offsets;    ///< [B+1] dual nodes of each mesh
  std::vector<NodeId> edges;         ///< [2, P] sources, then targets
  std::vector<NodeId> dual_edges;    ///< [2, Q]
  std::vector<NodeId> edge_to_dual;  ///< [P] dual node of every edge
};

/// The two graphs of a batch of meshes: primal nodes are faces (or clusters of them), dual nodes stand for
/// pairs of neighbours. Immutable; copying copies a handle.
///
/// Batch order of primal edges: a block per mesh; in it the E pairs as i -> j, then their opposites in the
/// same order. Dual node k of a mesh stands for pair k (A) or for edge k of the block (B, C). Positions:
/// places in the compressed rows by target, which is where messages are gathered.
class PrimalDualGraph {
 public:
  /// No meshes.
  PrimalDualGraph();
  /// Time O(N + P + Q). Dual edges are counted before they are made: their number is quadratic in the
  /// neighbours of a node. Throws ValueError where they exceed what 32 bits count.
  [[nodiscard]] static PrimalDualGraph build(std::span<const PrimalPairs> meshes,
                                             DualConfiguration configuration,
                                             DualLoops loops = DualLoops::no);
  /// Any arrays; edges may come in any order. Throws ShapeError or ValueError, naming `where`, array,
  /// position and value: offsets that do not ascend from 0, lengths that do not fit, an index out of range,
  /// an edge that leaves its mesh, an edge whose dual node is in another mesh, and a dual node per pair or
  /// per direction that is not what the configuration says. Time O(N + P + Q).
  [[nodiscard]] static PrimalDualGraph from_arrays(std::string_view where, const PrimalDualArrays& arrays,
                                                   DualConfiguration configuration);

  [[nodiscard]] DualConfiguration configuration() const;
  [[nodiscard]] const Segments& sets() const;       ///< primal nodes of each mesh
  [[nodiscard]] const Segments& dual_sets() const;  ///< dual nodes of each mesh
  [[nodiscard]] const Graph& primal() const;
  [[nodiscard]] const Graph& dual() const;
  [[nodiscard]] Size num_meshes() const { return sets().count(); }
  [[nodiscard]] Size num_nodes() const { return sets().num_rows(); }
  [[nodiscard]] Size num_dual_nodes() const { return dual_sets().num_rows(); }

  /// Of each position [P]: the edge's number in batch order, its dual node.
  [[nodiscard]] std::span<const NodeId> edge_at() const;
  [[nodiscard]] std::span<const NodeId> dual_at() const;
  /// Of each position the one of the opposite edge; empty unless every edge has exactly one and none is a
  /// loop.
  [[nodiscard]] std::span<const NodeId> opposite_at() const;
  /// Positions of the edges that a dual node stands for, ascending.
  [[nodiscard]] std::span<const NodeId> positions_of_dual(Size dual) const;
  /// Throws ValueError, naming `where` and the first edge that is a loop, repeated or without its opposite.
  void require_opposites(std::string_view where) const;

  /// Everything as arrays, edges in batch order, dual edges by target and then source.
  [[nodiscard]] PrimalDualArrays arrays() const;

  struct Storage;

 private:
  explicit PrimalDualGraph(std::shared_ptr<const Storage> storage) : storage_(std::move(storage)) {}
  std::shared_ptr<const Storage> storage_;
};

}  // namespace tarn
