#pragma once

#include "tarn/pooling/blocks/latent_blocks.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"

#include <array>

namespace tarn {

/// Which row of a set stands for a layer: the last (causal encoders) or the mean (bidirectional ones).
enum class LayerSummary { last, mean };
inline std::span<const std::string_view> enum_names(LayerSummary) {
  static constexpr std::array<std::string_view, 2> names{"last", "mean"};
  return names;
}

struct LayerAttentionOptions : LatentOptions {
  Size in_channels = 0;
  LayerSummary summary = LayerSummary::last;
  Size max_layers = 32;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("summary", summary, "which row of a set stands for a layer");
    f("max_layers", max_layers, at_least(1), "layers that have an encoding");
    LatentOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// Multi-layer trainable pooling: one summary row per set and layer, plus a learned encoding of the layer,
/// and latents that attend to the L rows, as in `perceiver-pooling`.
///
/// x [N, L, D] or layers [B, L, D] -> [B, D]; an empty set has summaries of zeros. Parameters: pos_emb.weight
/// [max_layers, D], and those of `LatentBlocks`. The official loaders drop the embedding layer first. Throws
/// ShapeError for more than max_layers. Tang & Yang 2024, "Pooling and Attention", arXiv 2409.02727.
class LayerAttentionReadout final : public LayerReadout {
 public:
  using Options = LayerAttentionOptions;
  explicit LayerAttentionReadout(const Options& options);
  LayersPooled pool(const LayersInput& in) override;
  bool reads_order() const override { return o_.summary == LayerSummary::last; }
  bool takes_layers() const override { return true; }

 private:
  Options o_;
  Parameter& pos_emb_;
  LatentBlocks& blocks_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
