#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

namespace tarn {

struct GcnOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  bool improved = false;
  std::optional<bool> add_self_loops;
  bool normalize = true;
  bool bias = true;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("out_channels", out_channels, at_least(1), "width of y");
    f("improved", improved, "loops weigh 2 instead of 1");
    f("add_self_loops", add_self_loops, "one loop per node; null takes the value of normalize");
    f("normalize", normalize, "divide by the roots of the weighted degrees");
    f("bias", bias, "add a bias");
  }
};

inline namespace TARN_PRECISION {

/// Graph convolution: y_i = sum over edges (j -> i) of r_j w_e r_i (W x_j) + bias, r = deg^(-1/2); see
/// `gcn_weights`.
///
/// x [N, in], edge weights [E] or none -> [N, out]. Parameters: lin.weight, bias. Without normalize: y_i =
/// sum w_e W x_j + bias. Kipf & Welling 2017, "Semi-Supervised Classification with Graph Convolutional
/// Networks", arXiv 1609.02907.
class Gcn final : public Convolution {
 public:
  using Options = GcnOptions;
  /// Throws ConfigError for add_self_loops without normalize.
  explicit Gcn(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::weight; }

 private:
  Options o_;
  Linear& lin_;
  Parameter* bias_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
