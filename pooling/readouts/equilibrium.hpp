#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <vector>

namespace tarn {

struct EquilibriumOptions : WidthOptions {
  std::optional<Size> out_channels;
  std::vector<Size> num_layers{64};
  Size grad_iter = 5;
  double lamb = 0.1;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_channels", out_channels, at_least(1), "width of the result; must be given");
    f("num_layers", num_layers, at_least(1), "hidden widths of the potential");
    f("grad_iter", grad_iter, at_least(0), "steps of gradient descent");
    f("lamb", lamb, any_finite(), "start of the weight of the squared norm, before softplus");
  }
};

inline namespace TARN_PRECISION {

/// Equilibrium aggregation: y after grad_iter steps of gradient descent with momentum on E(y) = mean_i F(x_i,
/// y) + softplus(lamb) |y|^2, from zeros: v = sigmoid(mom) v - softplus(lr) dE/dy, y += v.
///
/// F: u = [x, y], h = u, per hidden layer h = R u + tanh(LN(W h + b)), last R u + W h + b. x [N, D] -> [B,
/// out]; an empty set gives zeros. dE/dy is written in operations of the tape, so that one backward pass
/// through them gives all gradients. Parameters: potential.layers.K.0.*, .K.1.* (norm), potential.layers.L.*,
/// potential.res_trans.K.*, optimizer._lr [1], optimizer._mom [1], lamb [1]. Time O(grad_iter N (D + out)
/// width). Throws ConfigError without out_channels. Bartunov et al. 2022, arXiv 2202.12795; where PyTorch
/// Geometric averages the squared norm over the batch, each set has its own.
class Equilibrium final : public Readout {
 public:
  using Options = EquilibriumOptions;
  explicit Equilibrium(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return out_dim_; }

 private:
  struct Layer {
    Linear* map;
    Parameter *norm_weight, *norm_bias;
  };
  /// dF/dy of every row, averaged over its set: [B, out].
  Var mean_gradient(const SetInput& in, Var y);

  Options o_;
  Size out_dim_;
  Parameter &lamb_, &lr_, &mom_;
  std::vector<Layer> layers_;
  Linear* last_ = nullptr;
  std::vector<Linear*> residual_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
