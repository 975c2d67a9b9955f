#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct SoftmaxOptions : WidthOptions {
  double t = 1;
  bool learn = false;
  bool semi_grad = false;
  Size channels = 1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("t", t, any_finite(), "inverse temperature, or its start; negative leans to the minimum");
    f("learn", learn, "learn it");
    f("semi_grad", semi_grad, "take the weights as constants; not with learn");
    f("channels", channels, at_least(1), "temperatures: 1, or one per feature");
  }
};

struct AttSetsOptions : WidthOptions {
  Size out_elements = 1;
  Activation act = Activation::none;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_elements", out_elements, at_least(1), "weighted sums per feature, side by side");
    f("act", act, "activation of the scores");
  }
};

inline namespace TARN_PRECISION {

/// A softmax of its own for every feature: y = sum a_i x_i, a = softmax_i(t x_i) per column.
///
/// x [N, D] -> [B, D]; an empty set gives zeros. Parameter (learn): t [channels]. Throws ConfigError for
/// channels other than 1 or D, several that are not learned, or semi_grad with learn. Li et al. 2020,
/// "DeeperGCN", arXiv 2006.07739.
class SoftmaxReadout final : public Readout {
 public:
  using Options = SoftmaxOptions;
  explicit SoftmaxReadout(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  Options o_;
  Parameter* t_ = nullptr;
};

/// AttSets: y[e, d] = sum_i softmax_i(s_i[e, d]) x_i[d], s = act(fc x) seen as [N, E, D].
///
/// x [N, D] -> [B, E D], e-major; an empty set gives zeros. Parameters: fc.weight [E D, D], fc.bias: those of
/// the attention, which a first stage on sets of one row leaves alone, since its weights are 1 there; the
/// second stage trains them by themselves. Yang et al. 2019, arXiv 1808.00758, and its code.
class AttSets final : public Readout {
 public:
  using Options = AttSetsOptions;
  explicit AttSets(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override { return o_.out_elements * in_dim; }

 private:
  Options o_;
  Linear& fc_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
