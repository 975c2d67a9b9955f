#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct AdaPoolOptions : WidthOptions {
  Size hidden_channels = 128;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("hidden_channels", hidden_channels, at_least(1), "width of the scorer");
  }
};

inline namespace TARN_PRECISION {

/// Attention readout, the learned baseline of GLOT: s = linear(tanh(linear(x))), a = softmax of s per set,
/// y_b = sum a_i x_i.
///
/// x [N, D] -> y [B, D], weights [N, 1]; an empty set gives zeros. Parameters: score_layer.0, score_layer.2
/// (weight, bias). Time O(N D h). Mantri et al. 2026, arXiv 2603.03389, its code's AdaPool.
class AdaPool final : public Readout {
 public:
  using Options = AdaPoolOptions;
  explicit AdaPool(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  Chain& score_layer_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
