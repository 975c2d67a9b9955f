#include "tarn/pooling/readouts/latent_attention.hpp"

#include "tarn/core/ops/segment.hpp"
#include "tarn/pooling/readouts/weighted_mean.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

LatentAttention::LatentAttention(const Options& o)
    : Readout("latent-attention", o), blocks_(child("", std::make_unique<LatentBlocks>(o.in_channels, o))) {}

Pooled LatentAttention::pool(const SetInput& in) {
  const Var z = blocks_.read_latents(in.x);  // [N, C]
  return {blocks_.finish(in.weight.given() ? share_mean(z, in.weight, in.sets)
                                           : segment_reduce(z, in.sets, Reduce::mean))};
}

PerceiverPooling::PerceiverPooling(const Options& o)
    : Readout("perceiver-pooling", o),
      num_latents_(o.num_latents),
      blocks_(child("", std::make_unique<LatentBlocks>(o.in_channels, o))) {}

Pooled PerceiverPooling::pool(const SetInput& in) {
  const Var latents = blocks_.read_rows(in.x, in.sets);  // [B r, C]
  return {blocks_.finish(
      segment_reduce(latents, Segments::uniform(in.sets.count(), num_latents_), Reduce::mean))};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
