#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

namespace tarn {

struct GatOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  Size heads = 1;
  bool concat = true;
  double negative_slope = 0.2;
  double dropout = 0;
  bool add_self_loops = true;
  std::optional<Size> edge_dim;
  Value fill_value = "mean";
  bool bias = true;
  bool residual = false;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("out_channels", out_channels, at_least(1), "width per head");
    f("heads", heads, at_least(1), "attention heads");
    f("concat", concat, "heads side by side; false averages them");
    f("negative_slope", negative_slope, any_finite(), "slope of the leaky relu below zero");
    f("dropout", dropout, in_range(0, 1), "share of attention weights dropped in training");
    f("add_self_loops", add_self_loops, "one loop per node in place of the graph's own");
    f("edge_dim", edge_dim, at_least(1), "width of the edge attributes that enter the score");
    f("fill_value", fill_value, {"mean", "sum", "max", "min"},
      "attribute of the loops: a number, or taken from the other edges in");
    f("bias", bias, "add a bias");
    f("residual", residual, "add a linear map of x");
  }
};

inline namespace TARN_PRECISION {

/// Graph attention: z = W x, a_e = leaky_relu(<att_src, z_j> + <att_dst, z_i> + <att_edge,
/// lin_edge(edge_attr_e)>), softmax over the edges into i, y_i = sum alpha_e z_j, heads side by side or
/// averaged, + res(x_i), + bias.
///
/// x [N, in] -> [N, H*C], or [N, C] without concat. Without loops an isolated node gives residual + bias.
/// Parameters: lin.weight, att_src, att_dst, lin_edge.weight, att_edge, bias, res.weight. Time O(N in H C + E
/// H C). Velickovic et al. 2018, "Graph Attention Networks", arXiv 1710.10903; PyTorch Geometric's
/// conventions.
class Gat final : public Convolution {
 public:
  using Options = GatOptions;
  explicit Gat(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.concat ? o_.heads * o_.out_channels : o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::features; }

 private:
  Options o_;
  Linear& lin_;
  Parameter& att_src_;
  Parameter& att_dst_;
  Linear* lin_edge_ = nullptr;
  Parameter* att_edge_ = nullptr;
  Parameter* bias_ = nullptr;
  Linear* res_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
