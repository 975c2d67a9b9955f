#include "tarn/experiments/mesh/pd_mesh_segmenter.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

std::unique_ptr<DownBlock> make_block(const SegmenterOptions& o, const BlockPlace& place,
                                      const PoolAmount& amount) {
  if (!o.use_dual_primal_res_down_conv_blocks) {
    return std::make_unique<DualPrimalDownConv>(down_options(o, place, amount, {}));
  }
  const PoolAggregation aggregation{o.aggr_primal_features_pooling, o.aggr_dual_features_pooling};
  return std::make_unique<DualPrimalResDownConv>(res_down_options(o, place, amount, aggregation));
}

namespace {

/// One averaged head, K primal channels, no norm at the end, no pooling.
SegmenterOptions final_options(const SegmenterOptions& o) {
  SegmenterOptions last = o;
  last.conv_primal_out_res = {o.num_classes};
  last.conv_dual_out_res = {o.conv_dual_out_res.back()};
  last.concat_primal = last.concat_dual = false;
  last.norm_layer_type = NormLayer::none;
  return last;
}

}  // namespace

PdMeshSegmenter::PdMeshSegmenter(const Options& o)
    : MeshNetwork(o.weight_initialization_type, o.weight_initialization_gain) {
  check_widths(o, "pd-mesh-segmenter");
  const std::vector<PoolAmount> amounts = pool_amounts(o, o.conv_dual_out_res.size(), "pd-mesh-segmenter");
  DualPrimalWidths width{o.in_channels_primal, o.in_channels_dual};
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    const BlockPlace place{.i = i, .heads = o.heads, .in = width};
    blocks_.push_back(&child(fmt::format("block{}", i), make_block(o, place, amounts[i])));
    width = blocks_.back()->out();
  }
  if (o.gat_in_last_block) {
    final_attention_ = &child("final_block", std::make_unique<AttentionStep>(AttentionStepSettings{
                                                 .in = width.primal,
                                                 .out = o.num_classes,
                                                 .heads = 1,
                                                 .concat = false,
                                                 .negative_slope = o.negative_slope_primal,
                                                 .dropout = o.dropout_primal,
                                                 .bias = o.bias_primal}));
  } else {
    final_block_ = &child("final_block", make_block(final_options(o), {.i = 0, .heads = 1, .in = width}, {}));
  }
}

Var PdMeshSegmenter::forward(const DualPrimal& in) {
  start_pass();
  DualPrimal features = in;
  for (DownBlock* block : blocks_) {
    const MeshLayerResult result = block->apply({.features = features});
    note_pool(result);
    features = result.features;
  }
  const Var scores = final_block_ != nullptr ? final_block_->apply({.features = features}).features.x
                                             : final_attention_->forward(features.x, features.graph.primal(),
                                                                         Loops::left_out, Activation::none);
  const auto clusters = std::make_shared<const RowClusters>(compose_pools(pools(), in.graph.num_nodes()));
  return spread_rows(scores, {}, clusters);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
