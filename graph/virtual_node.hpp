#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/options.hpp"
#include "tarn/graph/graph.hpp"

#include <array>

namespace tarn {

enum class VirtualNodeNorm { none, batch_norm };
inline std::span<const std::string_view> enum_names(VirtualNodeNorm) {
  static constexpr std::array<std::string_view, 2> names{"none", "batch-norm"};
  return names;
}

struct VirtualNodeOptions {
  Size channels = 0;
  VirtualNodeNorm norm = VirtualNodeNorm::batch_norm;
  bool residual = false;
  double dropout = 0;
  void fields(Fields& f) {
    f("channels", channels, at_least(1), "width of x and of the state");
    f("norm", norm, "norm after each linear layer of the mlp");
    f("residual", residual, "add the new state to the old one");
    f("dropout", dropout, in_range(0, 1), "share of the new state dropped in training");
  }
};

inline namespace TARN_PRECISION {

/// One extra state per graph that every node reads and that reads every node: y_i = x_i + state_b, new state
/// = [state +] dropout(mlp(sum over the graph of y + state)), mlp: linear C -> 2C, [batch-norm], relu, linear
/// 2C -> C, [batch-norm], relu.
///
/// x [N, C], state [B, C] -> y [N, C], state [B, C]. The convolution of the layer runs on y. An empty graph
/// sums to zero, and its state still moves. Parameters: mlp.0.weight, ... at positions 0, 1, 3, 4 with
/// batch-norm, 0, 2 without. Training one graph with batch-norm is an error. Gilmer et al. 2017, "Neural
/// Message Passing for Quantum Chemistry", arXiv 1704.01212; the form of the OGB graph-property examples.
class VirtualNode final : public Module {
 public:
  using Options = VirtualNodeOptions;
  explicit VirtualNode(const Options& o);
  /// Throws ShapeError if x or state has another width than `channels`, or another number of rows than the
  /// sets say.
  [[nodiscard]] Var read(Var x, Var state, const Segments& sets) const;
  /// The new state, from y = read(x, state, sets).
  [[nodiscard]] Var write(Var y, Var state, const Segments& sets);

 private:
  Options o_;
  Chain& mlp_;
};

}  // namespace TARN_PRECISION

/// A batch with one real node more per graph.
struct WithVirtualNodes {
  Graph graph;
  Segments sets;
  std::vector<NodeId> edge_types;  ///< [E + 2 N] in the new graph's canonical order
};

/// The other common form: at the end of each graph a node that is joined to all its nodes, by edges (v ->
/// new) of type t + 1 and (new -> v) of type t + 2, t the largest type present (-1 without edges). Its
/// features are zeros: see `append_zero_rows`.
///
/// edge_types [E] in canonical order, or empty: all of type 0. Throws ShapeError if the sets do not cover the
/// nodes or edge_types has another length, ValueError for an edge between two graphs or a negative type. Time O(N + E).
[[nodiscard]] WithVirtualNodes add_virtual_nodes(const Graph& graph, const Segments& sets,
                                                 std::span<const NodeId> edge_types = {});

}  // namespace tarn
