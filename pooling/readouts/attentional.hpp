#pragma once

#include "tarn/pooling/blocks/mlp.hpp"
#include "tarn/pooling/normalisers/normalised_pool.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct AttentionalOptions : WidthOptions, MlpOptions, NormaliserOptions {
  std::vector<Size> gate_channels{1};
  std::vector<Size> value_channels;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("gate_channels", gate_channels, at_least(1),
      "widths of the network of scores, the last 1 or the width of the values");
    f("value_channels", value_channels, at_least(1), "widths of the network of values; none: the identity");
    MlpOptions::fields(f);
    NormaliserOptions::fields(f);
  }
};

struct MilAttentionOptions : WidthOptions, NormaliserOptions {
  Size hidden = 128;
  Size branches = 1;
  bool gated = false;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("hidden", hidden, at_least(1), "width of the scorer");
    f("branches", branches, at_least(1), "weighted sums, side by side");
    f("gated", gated, "multiply the scorer's tanh by a sigmoid gate");
    NormaliserOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// Attention with scores of the row alone: y = sum a_i value(x_i), a = softmax over the set of gate(x), or
/// the weights of another normaliser; one weight per row or one per row and feature.
///
/// x [N, D] -> [B, width of the values]; an empty set gives zeros. Parameters: gate_nn.lins.K.*, nn.lins.K.*.
/// With a softmax and a linear gate of one column on x itself x is read once for scores and values; the
/// gate's bias cancels. Throws ConfigError for a gate of another width, and for options of a normaliser that
/// is not chosen. Li et al. 2019, "Graph Matching Networks", arXiv 1904.12787.
class Attentional final : public Readout {
 public:
  using Options = AttentionalOptions;
  explicit Attentional(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return values_.out_dim(); }

 private:
  NormalisedPool pool_;
  Mlp &gate_, &values_;
  bool linear_gate_;
};

/// Attention of multiple-instance learning: y_k = sum_i a_ik x_i, a = softmax over the set of w(tanh(V x) *
/// sigmoid(U x)), the second factor only if gated, or the weights of another normaliser; side by side for K
/// branches.
///
/// x [N, D] -> [B, K D]; an empty set gives zeros. Parameters: attention_V.*, attention_U.* (gated),
/// attention_w.*. Throws ConfigError for options of a normaliser that is not chosen. Ilse et al. 2018, arXiv
/// 1802.04712; biases as its code has them.
class MilAttention final : public Readout {
 public:
  using Options = MilAttentionOptions;
  explicit MilAttention(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return o_.branches * in_dim; }

 private:
  Options o_;
  NormalisedPool pool_;
  Linear& v_;
  Linear* u_;
  Linear& w_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
