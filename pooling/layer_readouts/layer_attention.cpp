#include "tarn/pooling/layer_readouts/layer_attention.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"
#include "tarn/core/ops/slice.hpp"
#include "tarn/pooling/blocks/attention_block.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

LayerAttentionReadout::LayerAttentionReadout(const Options& o)
    : LayerReadout("layer-attention", o),
      o_(o),
      pos_emb_(parameter("pos_emb.weight", {o.max_layers, o.in_channels}, normal(1))),
      blocks_(child("", std::make_unique<LatentBlocks>(o.in_channels, o))) {}

LayersPooled LayerAttentionReadout::pool(const LayersInput& in) {
  const Var x = in.layers.given() ? in.layers : in.x;
  const Size layers = x.shape()[1], width = x.cols();
  if (layers > o_.max_layers) {
    throw ShapeError(fmt::format("layer-attention: x has {} layers; expected at most {} (max_layers)", layers,
                                 o_.max_layers));
  }
  Var rows = reshape(x, {x.shape()[0], layers * width});
  if (!in.layers.given()) {
    rows = o_.summary == LayerSummary::last ? segment_end_mean(rows, in.sets, SetEnd::last, 1)
                                            : segment_reduce(rows, in.sets, Reduce::mean);
  }
  const Size sets = rows.rows();
  const Var encoding = slice_rows(x.tape().parameter(pos_emb_), 0, layers);
  const Var encoded = add_to_each(reshape(rows, {sets * layers, width}), encoding);  // [B L, D]
  const Var latents = blocks_.read_rows(encoded, Segments::uniform(sets, layers));   // [B r, D]
  return {blocks_.finish(segment_reduce(latents, Segments::uniform(sets, o_.num_latents), Reduce::mean))};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
