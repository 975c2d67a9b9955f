#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct GatedSumOptions : WidthOptions {
  std::optional<Size> out_channels;
  Activation act = Activation::tanh;
  bool bias = true;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_channels", out_channels, at_least(1), "width of y; null: that of x");
    f("act", act, "of the values, and of their sum");
    f("bias", bias, "learn an offset of gate and value");
  }
};

inline namespace TARN_PRECISION {

/// Each feature of each row passes a gate of its own, and what passes is summed:
/// y_b = act(sum_{i in b} sigmoid(gate(x_i)) * act(value(x_i))), element by element.
///
/// x [N, D] -> [B, H]; an empty set gives act(0). Parameters: gate.weight [H, D], gate.bias,
/// value.weight [H, D], value.bias. Cost: two products of N D H and one pass over [N, H]. Li et al. 2016,
/// Gated Graph Sequence Neural Networks, arXiv 1511.05493, equation 7.
class GatedSum final : public Readout {
 public:
  using Options = GatedSumOptions;
  explicit GatedSum(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_channels) const override { return o_.out_channels.value_or(in_channels); }

 private:
  Options o_;
  Linear& gate_;
  Linear& value_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
