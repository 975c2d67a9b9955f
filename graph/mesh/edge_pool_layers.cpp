#include "tarn/graph/mesh/edge_pool_layers.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr const char* unpool_owner = "dual-primal-edge-unpool";

void require_fit(const char* name, Var x, const RowClusters& clusters) {
  if (x.rows() == clusters.groups.count()) return;
  throw ShapeError(fmt::format("{}: {} is {} but the record has {} clusters; expected as many rows",
                               unpool_owner, name, x.shape().text(), clusters.groups.count()));
}

}  // namespace

DualPrimalEdgePool::DualPrimalEdgePool(const Options& options) : o_(options) {
  check_pool_amount("dual-primal-edge-pool", o_, o_, AmountNeeded::yes);
}

MeshLayerResult DualPrimalEdgePool::apply(const MeshLayerInput& in) {
  PooledDualPrimal result = pool_edges(in.features, in.attention, o_);
  return {.features = result.pooled,
          .attention = in.attention,
          .record = std::move(result.record),
          .before = in.features};
}

DualPrimalEdgeUnpool::DualPrimalEdgeUnpool(const Options& o)
    : new_dual_feature_(
          parameter("new_dual_feature", {1, o.out_channels_dual}, glorot(1, o.out_channels_dual))) {}

DualPrimal DualPrimalEdgeUnpool::forward(const DualPrimal& pooled, const PoolRecord& record,
                                         const PrimalDualGraph& before) {
  require_fit("x", pooled.x, *record.clusters);
  require_fit("x_dual", pooled.x_dual, *record.dual_clusters);
  if (pooled.x_dual.cols() != new_dual_feature_.value.shape().cols()) {
    throw ShapeError(fmt::format("{}: x_dual is {}; expected width {} (out_channels_dual)", unpool_owner,
                                 pooled.x_dual.shape().text(), new_dual_feature_.value.shape().cols()));
  }
  Tape& tape = pooled.x_dual.tape();
  return {.x = spread_rows(pooled.x, {}, record.clusters),
          .x_dual = spread_rows(pooled.x_dual, tape.parameter(new_dual_feature_), record.dual_clusters),
          .graph = before};
}

MeshLayerResult DualPrimalEdgeUnpool::apply(const MeshLayerInput& in) {
  if (!in.record) throw ShapeError(fmt::format("{}: no record given; expected that of a pool", unpool_owner));
  return {.features = forward(in.features, *in.record, in.before.graph)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
