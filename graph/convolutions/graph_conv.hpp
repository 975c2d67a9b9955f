#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

namespace tarn {

struct GraphConvOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  std::string aggr = "sum";
  bool bias = true;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("out_channels", out_channels, at_least(1), "width of y");
    f("aggr", aggr, {"sum", "mean", "max", "add"}, "how neighbours are joined; add is sum");
    f("bias", bias, "add a bias");
  }
};

inline namespace TARN_PRECISION {

/// Higher-order graph convolution: y_i = lin_rel(aggr over edges (j -> i) of w_e x_j) + lin_root(x_i).
///
/// x [N, in], edge weights [E] or none -> [N, out]; a mean divides by the number of edges, weighted or not.
/// Parameters: lin_rel.weight, lin_rel.bias, lin_root.weight. Morris et al. 2019, "Weisfeiler and Leman Go
/// Neural", arXiv 1810.02244.
class GraphConv final : public Convolution {
 public:
  using Options = GraphConvOptions;
  explicit GraphConv(const Options& options);
  Var forward(const GraphInput& in) override;
  Size out_dim() const override { return o_.out_channels; }
  EdgeInput edge_input() const override { return EdgeInput::weight; }

 private:
  Options o_;
  Linear& lin_rel_;
  Linear& lin_root_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
