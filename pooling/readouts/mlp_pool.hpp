#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct MlpPoolOptions : WidthOptions {
  Size hidden_channels = 128;
  Size num_layers = 2;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("hidden_channels", hidden_channels, at_least(1), "width of every layer and of y");
    f("num_layers", num_layers, at_least(1), "linear layers");
  }
};

inline namespace TARN_PRECISION {

/// A token-wise network, then the mean of the set: linear, [batch-norm, relu, linear] repeated; y_b = mean of
/// its rows.
///
/// x [N, D] -> [B, h]; an empty set gives zeros. Parameters: mlp.0 (linear), mlp.1 (norm), mlp.3 (linear),
/// ... Batch statistics over all rows in training: a training batch of one row is an error. Mantri et al.
/// 2026, arXiv 2603.03389, the pooling without a graph.
class MlpPool final : public Readout {
 public:
  using Options = MlpPoolOptions;
  explicit MlpPool(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return o_.hidden_channels; }

 private:
  Options o_;
  Chain& mlp_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
