#pragma once

#include "tarn/pooling/blocks/latent_blocks.hpp"
#include "tarn/pooling/readouts/readout.hpp"

namespace tarn {

struct LatentAttentionOptions : WidthOptions, LatentOptions {
  void fields(Fields& f) {
    WidthOptions::fields(f);
    LatentOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// Latent attention of NV-Embed: the rows attend to learned latents, pass a gated feed-forward map, and are
/// averaged, by `weight` [N] where it is given.
///
/// x [N, C] -> [B, C]; an empty set gives zeros. Parameters: see `LatentBlocks`; keys and values of the
/// latents are made once per call. Lee et al. 2024, arXiv 2405.17428; the published code's GEGLU, where the
/// paper says GELU.
class LatentAttention final : public Readout {
 public:
  using Options = LatentAttentionOptions;
  explicit LatentAttention(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  LatentBlocks& blocks_;
};

/// Trainable pooling with latents as queries: they attend to the rows of a set, pass a gated feed-forward map
/// and are averaged.
///
/// x [N, C] -> [B, C]. Parameters: see `LatentBlocks`. The paper's runs have 768 latents, 32 heads of width
/// 2048. Tang & Yang 2024, "Pooling and Attention", arXiv 2409.02727, and its code.
class PerceiverPooling final : public Readout {
 public:
  using Options = LatentAttentionOptions;
  explicit PerceiverPooling(const Options& options);
  Pooled pool(const SetInput& in) override;

 private:
  Size num_latents_;
  LatentBlocks& blocks_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
