#pragma once

#include "tarn/graph/convolutions/gat.hpp"

namespace tarn {

struct Gatv2Options : GatOptions {
  bool share_weights = false;
  void fields(Fields& f) {
    GatOptions::fields(f);
    f("share_weights", share_weights, "one linear map for source and target");
  }
};

inline namespace TARN_PRECISION {

/// Dynamic graph attention: a_e = <att, leaky_relu(lin_r(x_i) + lin_l(x_j) + lin_edge(edge_attr_e))>, softmax
/// over the edges into i, y_i = sum alpha_e lin_l(x_j), heads side by side or averaged, + res(x_i), + bias.
///
/// x [N, in] -> [N, H*C], or [N, C] without concat. Loops as `gat` has them. Parameters: lin_l.weight,
/// lin_l.bias, lin_r.weight, lin_r.bias (unless shared), att, lin_edge.weight, bias, res.weight; `bias` false
/// takes those of the linear maps too. Time O(N in H C + E H C). Brody et al. 2022, "How Attentive are Graph
/// Attention Networks?", arXiv 2105.14491; PyTorch Geometric's conventions.
class Gatv2 final : public Convolution {
 public:
  using Options = Gatv2Options;
  explicit Gatv2(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.concat ? o_.heads * o_.out_channels : o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::features; }

 private:
  Options o_;
  Linear& lin_l_;
  Linear* lin_r_ = nullptr;
  Parameter& att_;
  Linear* lin_edge_ = nullptr;
  Parameter* bias_ = nullptr;
  Linear* res_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
