#pragma once

#include "tarn/experiments/mesh/network_blocks.hpp"

namespace tarn {

/// What both segmenters have beside the shared options.
struct SegmenterOptions : MeshNetworkOptions {
  bool use_dual_primal_res_down_conv_blocks = false;
  ClusterAggregation aggr_primal_features_pooling = ClusterAggregation::mean;
  ClusterAggregation aggr_dual_features_pooling = ClusterAggregation::mean;
  void fields(Fields& f) {
    MeshNetworkOptions::fields(f);
    f("use_dual_primal_res_down_conv_blocks", use_dual_primal_res_down_conv_blocks,
      "residual blocks; false: blocks with instance norm, which join features by their mean");
    f("aggr_primal_features_pooling", aggr_primal_features_pooling,
      "how the features of a cluster are joined");
    f("aggr_dual_features_pooling", aggr_dual_features_pooling,
      "how the features of parallel dual nodes are joined");
  }
};

struct PdMeshSegmenterOptions : SegmenterOptions {
  Size heads = 1;
  bool gat_in_last_block = false;
  void fields(Fields& f) {
    SegmenterOptions::fields(f);
    f("heads", heads, at_least(1), "attention heads of every block but the last");
    f("gat_in_last_block", gat_in_last_block, "plain attention on the primal graph as last block");
  }
};

inline namespace TARN_PRECISION {

/// The block at a place of the kind that the options ask for.
[[nodiscard]] std::unique_ptr<DownBlock> make_block(const SegmenterOptions& options, const BlockPlace& place,
                                                    const PoolAmount& amount);

/// Blocks that pool, then a last one of one head and K primal channels without pooling, or attention on the
/// primal graph; every face gets the scores of its final cluster, as a superpixel would. [N, K].
///
/// The scores of a convolutional last block have passed a relu. Parameters: block{i}.*, final_block.* (see
/// DualPrimalResDownConv, DualPrimalDownConv; AttentionStep with gat_in_last_block). Milano et al. 2020,
/// arXiv 2010.12455.
class PdMeshSegmenter final : public MeshNetwork {
 public:
  using Options = PdMeshSegmenterOptions;
  explicit PdMeshSegmenter(const Options& options);
  Var forward(const DualPrimal& in) override;
  [[nodiscard]] MeshTask task() const override { return MeshTask::segmentation; }

 private:
  std::vector<DownBlock*> blocks_;
  DownBlock* final_block_ = nullptr;
  AttentionStep* final_attention_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
