#pragma once

#include "tarn/graph/mesh/mesh_layer.hpp"

namespace tarn {

struct EdgeUnpoolOptions {
  Size out_channels_dual = 0;
  void fields(Fields& f) { f("out_channels_dual", out_channels_dual, at_least(1), "width of x_dual"); }
};

inline namespace TARN_PRECISION {

/// `pool_edges` as a layer: takes features and attention, gives the pooled features and the record.
class DualPrimalEdgePool final : public MeshLayer {
 public:
  using Options = EdgePoolOptions;
  explicit DualPrimalEdgePool(const Options& options);
  MeshLayerResult apply(const MeshLayerInput& in) override;

 private:
  Options o_;
};

/// Back on the nodes from before a pool: every node gets its cluster's row, every dual node the row of its
/// new dual node, or `new_dual_feature` where its edge vanished.
///
/// x [clusters, Cp], x_dual [new dual nodes, Cd], record -> the same on the old nodes. After a sum the
/// features are copied, not divided. Parameter: new_dual_feature [1, Cd]. Throws ShapeError for a record that
/// does not fit.
class DualPrimalEdgeUnpool final : public MeshLayer {
 public:
  using Options = EdgeUnpoolOptions;
  explicit DualPrimalEdgeUnpool(const Options& options);
  DualPrimal forward(const DualPrimal& pooled, const PoolRecord& record, const PrimalDualGraph& before);
  MeshLayerResult apply(const MeshLayerInput& in) override;

 private:
  Parameter& new_dual_feature_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
