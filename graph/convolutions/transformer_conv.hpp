#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

namespace tarn {

struct TransformerConvOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  Size heads = 1;
  bool concat = true;
  bool beta = false;
  double dropout = 0;
  std::optional<Size> edge_dim;
  bool bias = true;
  bool root_weight = true;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("out_channels", out_channels, at_least(1), "width per head");
    f("heads", heads, at_least(1), "attention heads");
    f("concat", concat, "heads side by side; false averages them");
    f("beta", beta, "weigh messages against the node itself by a learned gate; idle without root_weight");
    f("dropout", dropout, in_range(0, 1), "share of attention weights dropped in training");
    f("edge_dim", edge_dim, at_least(1), "width of the edge attributes that enter key and value");
    f("bias", bias, "biases of the linear maps");
    f("root_weight", root_weight, "add a linear map of the node itself");
  }
};

inline namespace TARN_PRECISION {

/// Graph transformer layer: for an edge (j -> i) and per head s = <query_i, key_j + t_e> / sqrt(C), t_e =
/// lin_edge (edge_attr_e), alpha the softmax over the edges into i, o_i = sum alpha (value_j + t_e), heads
/// side by side or averaged. With root_weight r_i = lin_skip(x_i), y = o + r, or with beta b r + (1 - b) o, b
/// = sigmoid(lin_beta [o, r, o - r]).
///
/// x [N, in] -> [N, H*C], or [N, C] without concat. No loops are added: an isolated node has o = 0.
/// Parameters: lin_key, lin_query, lin_value, lin_skip (weight, bias), lin_edge.weight, lin_beta.weight;
/// lin_skip exists, unused, without root_weight too. Shi et al. 2021, "Masked Label Prediction", arXiv
/// 2009.03509; PyTorch Geometric's conventions.
class TransformerConv final : public Convolution {
 public:
  using Options = TransformerConvOptions;
  explicit TransformerConv(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.concat ? o_.heads * o_.out_channels : o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::features; }

 private:
  Linear& linear(const char* name, Size out);
  /// b r + (1 - b) o.
  Var gate(Var o, Var r);

  Options o_;
  Linear& lin_key_;
  Linear& lin_query_;
  Linear& lin_value_;
  Linear* lin_edge_ = nullptr;
  Linear& lin_skip_;
  Linear* lin_beta_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
