#pragma once

#include "tarn/graph/mesh/dual_primal_conv.hpp"
#include "tarn/graph/mesh/edge_pool_layers.hpp"

namespace tarn {

struct DualPrimalUpConvOptions {
  DualConfiguration configuration = DualConfiguration::A;
  Size in_channels_primal = 0;
  Size in_channels_dual = 0;
  Size out_channels_primal = 0;
  Size out_channels_dual = 0;
  bool concat_data_from_before_pooling = true;
  void fields(Fields& f) {
    f("configuration", configuration, "of the dual graph");
    f("in_channels_primal", in_channels_primal, at_least(1), "width of x");
    f("in_channels_dual", in_channels_dual, at_least(1), "width of x_dual");
    f("out_channels_primal", out_channels_primal, at_least(1),
      "primal width of the result, and of what stands beside");
    f("out_channels_dual", out_channels_dual, at_least(1),
      "dual width of the result, and of what stands beside");
    f("concat_data_from_before_pooling", concat_data_from_before_pooling,
      "put the features from before the pool beside");
  }
};

inline namespace TARN_PRECISION {

/// conv1, relu(bn1), unpool, features from before the pool beside, conv2, relu(bn2), on both graphs.
/// Convolutions have one head and biases. x [clusters, Cp], record, features before [N, Op] -> [N, Op]; dual
/// likewise. Parameters: conv1.*, conv2.*, bn_primal1.*, bn_dual1.*, bn_primal2.*, bn_dual2.*,
/// unpool.new_dual_feature. Milano et al. 2020, arXiv 2010.12455.
class DualPrimalUpConv final : public MeshLayer {
 public:
  using Options = DualPrimalUpConvOptions;
  explicit DualPrimalUpConv(const Options& options);
  /// `in` holds pooled features, the pool's record and the features from before it.
  MeshLayerResult apply(const MeshLayerInput& in) override;

 private:
  struct Stage {
    DualPrimalConv& conv;
    BatchNorm& primal;
    BatchNorm& dual;
    MeshLayerResult forward(const DualPrimal& in) const;
  };
  Stage add_stage(const char* number, const DualPrimalWidths& in, const Options& options);

  bool concat_;
  Stage first_;
  DualPrimalEdgeUnpool& unpool_;
  Stage second_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
