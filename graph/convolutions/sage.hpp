#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/ops/aggregate.hpp"

namespace tarn {

struct SageOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  Aggregate aggr = Aggregate::mean;
  bool normalize = false;
  bool root_weight = true;
  bool project = false;
  bool bias = true;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("out_channels", out_channels, at_least(1), "width of y");
    f("aggr", aggr, "how neighbours are joined");
    f("normalize", normalize, "bring every row of y to length 1");
    f("root_weight", root_weight, "add a linear map of the node itself");
    f("project", project, "linear map and relu before the neighbours are joined");
    f("bias", bias, "add a bias to the map of the neighbours");
  }
};

inline namespace TARN_PRECISION {

/// GraphSAGE: p = relu(lin(x)) with project, else x; y_i = lin_l(aggr of p_j) + lin_r(x_i), with normalize
/// divided by max(|y_i|, 1e-12).
///
/// x [N, in] -> [N, out]. An isolated node gives bias and root term. Parameters: lin_l.weight, lin_l.bias,
/// lin_r.weight, lin.weight, lin.bias. Hamilton et al. 2017, "Inductive Representation Learning on Large
/// Graphs", arXiv 1706.02216.
class Sage final : public Convolution {
 public:
  using Options = SageOptions;
  explicit Sage(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::none; }

 private:
  Options o_;
  Linear* lin_ = nullptr;
  Linear& lin_l_;
  Linear* lin_r_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
