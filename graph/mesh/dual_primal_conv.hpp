#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/mesh/mesh_layer.hpp"
#include "tarn/graph/ops/attention.hpp"

namespace tarn {

using DualPrimalConvOptions = DualPrimalLayerOptions;

inline namespace TARN_PRECISION {

/// Features after a layer, and its attention [P, H] on primal edges in batch order.
struct DualPrimalOutput {
  Var x;  ///< not given where the input has none
  Var x_dual;
  Var attention;

  [[nodiscard]] MeshLayerResult on(const PrimalDualGraph& graph) const {
    return {.features = {x, x_dual, graph}, .attention = attention};
  }
};

struct AttentionStepSettings {
  Size in = 0;
  Size out = 0;  ///< per head
  Size heads = 1;
  bool concat = true;
  double negative_slope = 0.2;
  double dropout = 0;
  bool bias = true;
};

/// Additive attention over the incoming edges of one graph: z = x W^T, y_t = sum_s a_st z_s with a the
/// softmax of leaky_relu(<att_dst, z_t> + <att_src, z_s>); heads side by side or averaged, + bias, then the
/// activation. Parameters: lin.weight, att_dst, att_src, bias.
class AttentionStep final : public Module {
 public:
  explicit AttentionStep(const AttentionStepSettings& settings);
  Var forward(Var x, const Graph& graph, Loops loops, Activation activation);

 private:
  AttentionStepSettings settings_;
  Linear& lin_;
  Parameter& att_dst_;
  Parameter& att_src_;
  Parameter* bias_ = nullptr;
};

/// Attention on the dual graph, whose new features are the scores of attention on the primal graph.
///
/// Dual step: an AttentionStep with relu; loops of the input are ignored, with `dual_self_loops` there is one
/// at every node. Primal step: e_ji = leaky_relu(<att, y_dual of edge j -> i>), y_i = relu(sum_j
/// softmax_j(e_ji) W x_j + bias); a face's own feature does not enter its output. x [N, Cp], x_dual [D, Cd]
/// -> [N, H*Op], [D, H*Od] (a head's width where averaged), attention [P, H], after dropout. Nodes without
/// edges get the bias. Parameters: dual.lin.weight [H*Od, Cd], dual.att_dst, dual.att_src [1, H, Od],
/// dual.bias; primal.lin.weight [H*Op, Cp], primal.att [1, H, Od], primal.bias. Time O(D Cd H Od + Q H Od + N
/// Cp H Op). Milano et al. 2020, "Primal-Dual Mesh Convolutional Neural Networks", arXiv 2010.12455.
class DualPrimalConv final : public MeshLayer {
 public:
  using Options = DualPrimalConvOptions;
  /// Throws ConfigError for averaged dual heads: every head of the primal attention needs dual features of
  /// its own.
  explicit DualPrimalConv(const Options& options);
  DualPrimalOutput forward(const DualPrimal& in);
  MeshLayerResult apply(const MeshLayerInput& in) override;
  [[nodiscard]] DualPrimalWidths out() const { return o_.out(); }

 private:
  class PrimalStep;

  Options o_;
  AttentionStep& dual_;
  PrimalStep& primal_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
