#include "tarn/experiments/mesh/network_blocks.hpp"

namespace tarn {

namespace {

void set_block(DownBlockOptions& block, const MeshNetworkOptions& o, const BlockPlace& place,
               const PoolAmount& amount, const PoolAggregation& aggregation) {
  static_cast<DualPrimalLayerOptions&>(block) = layer_options(o, place);
  static_cast<PoolAmount&>(block) = amount;
  static_cast<EdgePoolRules&>(block) = o;
  block.aggr_primal_features = aggregation.primal;
  block.aggr_dual_features = aggregation.dual;
}

}  // namespace

DualPrimalResDownConvOptions res_down_options(const MeshNetworkOptions& o, const BlockPlace& place,
                                              const PoolAmount& amount, const PoolAggregation& aggregation) {
  DualPrimalResDownConvOptions block;
  set_block(block, o, place, amount, aggregation);
  block.num_res_blocks = o.num_res_blocks;
  block.norm_layer_type = o.norm_layer_type;
  block.num_groups_norm_layer = o.num_groups_norm_layer;
  return block;
}

DualPrimalDownConvOptions down_options(const MeshNetworkOptions& o, const BlockPlace& place,
                                       const PoolAmount& amount, const PoolAggregation& aggregation) {
  DualPrimalDownConvOptions block;
  set_block(block, o, place, amount, aggregation);
  block.num_skips = o.num_res_blocks;
  return block;
}

}  // namespace tarn
