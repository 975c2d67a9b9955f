#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/backbone_options.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/norms/norm.hpp"
#include "tarn/graph/virtual_node.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// A batch of graphs as a backbone reads it. Edge data are in the graph's canonical order.
struct BackboneInput {
  Var x{};                              ///< [N, in_channels], for the embeddings linear and none
  std::span<const std::int32_t> ids{};  ///< [N, F] row-major, for the embedding tables
  Graph graph;                          ///< over all nodes of the batch
  Segments sets;                        ///< the nodes of each graph
  Var edge_attr{};                      ///< [E, edge_dim], for convolutions that take edge features
  Var edge_weight{};                    ///< [E], or not given, for those that take weights
};

/// Rows that a batch of training must have at least: norms over the batch have no variance over one row.
struct SmallestBatch {
  Size nodes = 1;
  Size graphs = 1;
};

/// Input embedding and a stack of layers: x_0 = embed(input), x_{l+1} = dropout(activation(norm(conv(y)))) +
/// y with y = x_l, or x_l + state where there is a virtual node. The last term only with `residual` and equal
/// widths.
///
/// forward returns the history [x_0, ..., x_K], each [N, width_l]. The virtual node's state is read by every
/// layer and written by all but the last. Parameters: embed.weight, embed.bias (linear) or embed.F.weight
/// [table_sizes[F], hidden] (tables, Glorot); convs.K.*, norms.K.*; virtual_node [C] and
/// virtual_nodes.K.mlp.*. Throws ConfigError for options that do not fit together.
class Backbone final : public Module {
 public:
  using Options = BackboneOptions;
  explicit Backbone(const Options& options);
  /// Throws ShapeError if x does not fit, or the sets do not cover the graph's nodes, and what the parts
  /// throw.
  [[nodiscard]] std::vector<Var> forward(Tape& tape, const BackboneInput& in);

  /// Widths of the history, one per entry.
  [[nodiscard]] const std::vector<Size>& widths() const { return widths_; }
  [[nodiscard]] Size num_layers() const { return static_cast<Size>(layers_.size()); }
  [[nodiscard]] SmallestBatch smallest_batch() const { return smallest_; }

 private:
  struct Layer {
    BackboneLayerOptions options;
    Convolution* conv = nullptr;
    Norm* norm = nullptr;                 ///< null: none
    VirtualNode* virtual_node = nullptr;  ///< writes the state; null: nobody does
  };
  void add_embedding();
  void add_layer(const BackboneLayerOptions& options);
  void add_virtual_nodes();
  [[nodiscard]] Var embed(Tape& tape, const BackboneInput& in);
  [[nodiscard]] Var run_layer(const Layer& layer, const BackboneInput& in, Var y);

  Options o_;
  Linear* embed_ = nullptr;
  std::vector<Parameter*> tables_;
  std::vector<Layer> layers_;
  Parameter* state_ = nullptr;
  std::vector<Size> widths_;
  SmallestBatch smallest_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
