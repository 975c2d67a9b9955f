#include "tarn/experiments/mesh/pd_mesh_unet_segmenter.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

/// The blocks under their common name.
class PdMeshUnetSegmenter::Encoder final : public Module {
 public:
  Encoder(const Options& o, std::span<const PoolAmount> amounts) {
    width_ = {o.in_channels_primal, o.in_channels_dual};
    for (std::size_t i = 0; i < amounts.size(); ++i) {
      const BlockPlace place{.i = i, .heads = o.heads_encoder, .in = width_};
      blocks_.push_back(&child(fmt::format("block{}", i), make_block(o, place, amounts[i])));
      width_ = blocks_.back()->out();
    }
  }
  [[nodiscard]] DualPrimalWidths out() const { return width_; }
  [[nodiscard]] const std::vector<DownBlock*>& blocks() const { return blocks_; }

 private:
  DualPrimalWidths width_;
  std::vector<DownBlock*> blocks_;
};

namespace {

constexpr const char* owner = "pd-mesh-unet-segmenter";

void require_all_amounts(std::span<const PoolAmount> amounts) {
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    if (amounts[i].given() == 1) continue;
    throw ConfigError(fmt::format("{}: block {} has no amount to pool; expected one for each of {} blocks",
                                  owner, i, amounts.size()));
  }
}

DualPrimalUpConvOptions up_options(const PdMeshUnetSegmenterOptions& o, std::size_t i) {
  DualPrimalUpConvOptions up;
  up.configuration = o.configuration;
  up.in_channels_primal = o.conv_primal_out_res[i + 1];
  up.in_channels_dual = o.conv_dual_out_res[i + 1];
  up.out_channels_primal = o.conv_primal_out_res[i];
  up.out_channels_dual = o.conv_dual_out_res[i];
  return up;
}

/// One averaged head from the first widths to the classes.
DualPrimalConvOptions final_conv_options(const PdMeshUnetSegmenterOptions& o) {
  DualPrimalConvOptions conv =
      layer_options(o, {.i = 0, .heads = 1, .in = {o.conv_primal_out_res[0], o.conv_dual_out_res[0]}});
  conv.out_channels_primal = o.num_classes;
  conv.concat_primal = conv.concat_dual = false;
  return conv;
}

}  // namespace

PdMeshUnetSegmenter::PdMeshUnetSegmenter(const Options& o)
    : MeshNetwork(o.weight_initialization_type, o.weight_initialization_gain),
      averaged_heads_primal_(o.concat_primal ? o.heads_encoder : 1),
      averaged_heads_dual_(o.concat_dual ? o.heads_encoder : 1) {
  check_widths(o, owner);
  const std::size_t last = o.conv_dual_out_res.size() - 1;
  const std::vector<PoolAmount> amounts = pool_amounts(o, last, owner);
  require_all_amounts(amounts);
  encoder_ = &child("encoder", std::make_unique<Encoder>(o, amounts));
  conv_after_encoder_ =
      &child("conv_after_encoder", std::make_unique<DualPrimalConv>(layer_options(
                                       o, {.i = last, .heads = o.heads_encoder, .in = encoder_->out()})));
  const DualPrimalWidths width = conv_after_encoder_->out();
  const BatchNorm::Settings norm{.single_row = SingleRow::bias_alone};
  bn_primal_after_encoder_ =
      &child("bn_primal_after_encoder", std::make_unique<BatchNorm>(width.primal, norm));
  bn_dual_after_encoder_ = &child("bn_dual_after_encoder", std::make_unique<BatchNorm>(width.dual, norm));
  upconvs_.resize(last);
  for (std::size_t i = last; i-- > 0;) {
    upconvs_[i] = &child(fmt::format("upconv{}", i), std::make_unique<DualPrimalUpConv>(up_options(o, i)));
  }
  final_conv_ = &child("final_conv", std::make_unique<DualPrimalConv>(final_conv_options(o)));
  bn_primal_ = &child("bn_primal", std::make_unique<BatchNorm>(o.num_classes, norm));
}

DualPrimal PdMeshUnetSegmenter::average_encoder_heads(const DualPrimal& f) const {
  return {.x = average_heads(f.x, averaged_heads_primal_),
          .x_dual = average_heads(f.x_dual, averaged_heads_dual_),
          .graph = f.graph};
}

Var PdMeshUnetSegmenter::forward(const DualPrimal& in) {
  start_pass();
  std::vector<DualPrimal> before;
  DualPrimal features = in;
  for (DownBlock* block : encoder_->blocks()) {
    const MeshLayerResult result = block->apply({.features = features});
    note_pool(result);
    before.push_back(average_encoder_heads(result.before));
    features = result.features;
  }
  const DualPrimalOutput deepest = conv_after_encoder_->forward(features);
  features =
      average_encoder_heads({.x = bn_primal_after_encoder_->forward(deepest.x, Activation::relu),
                             .x_dual = bn_dual_after_encoder_->forward(deepest.x_dual, Activation::relu),
                             .graph = features.graph});
  for (std::size_t i = upconvs_.size(); i-- > 0;) {
    features = upconvs_[i]->apply({.features = features, .record = pools()[i], .before = before[i]}).features;
  }
  return bn_primal_->forward(final_conv_->forward(features).x);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
