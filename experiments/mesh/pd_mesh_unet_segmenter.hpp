#pragma once

#include "tarn/experiments/mesh/pd_mesh_segmenter.hpp"
#include "tarn/graph/mesh/dual_primal_up_conv.hpp"

namespace tarn {

struct PdMeshUnetSegmenterOptions : SegmenterOptions {
  Size heads_encoder = 1;
  Size heads_decoder = 1;
  PdMeshUnetSegmenterOptions() { conv_primal_out_res = conv_dual_out_res = {32, 64, 128}; }
  void fields(Fields& f) {
    SegmenterOptions::fields(f);
    f("heads_encoder", heads_encoder, at_least(1), "attention heads of the encoder");
    f("heads_decoder", heads_decoder, between(1, 1), "attention heads of the decoder");
  }
};

inline namespace TARN_PRECISION {

/// An encoder of n blocks that pool, a convolution to the last width, and n up-convolutions back, each beside
/// the features from before its pool; a last convolution gives K channels, then batch norm. [N, K].
///
/// Heads of the encoder that stand side by side are averaged after it and in what stands beside. Takes n + 1
/// widths and n amounts, all needed. Parameters: encoder.block{i}.*, conv_after_encoder.*,
/// bn_primal_after_encoder.*, bn_dual_after_encoder.*, upconv{i}.* (see DualPrimalUpConv), final_conv.*,
/// bn_primal.*. Milano et al. 2020, arXiv 2010.12455.
class PdMeshUnetSegmenter final : public MeshNetwork {
 public:
  using Options = PdMeshUnetSegmenterOptions;
  explicit PdMeshUnetSegmenter(const Options& options);
  Var forward(const DualPrimal& in) override;
  [[nodiscard]] MeshTask task() const override { return MeshTask::segmentation; }

 private:
  class Encoder;
  DualPrimal average_encoder_heads(const DualPrimal& features) const;

  Size averaged_heads_primal_;
  Size averaged_heads_dual_;
  Encoder* encoder_ = nullptr;
  DualPrimalConv* conv_after_encoder_ = nullptr;
  BatchNorm* bn_primal_after_encoder_ = nullptr;
  BatchNorm* bn_dual_after_encoder_ = nullptr;
  std::vector<DualPrimalUpConv*> upconvs_;  // by block
  DualPrimalConv* final_conv_ = nullptr;
  BatchNorm* bn_primal_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
