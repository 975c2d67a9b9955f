#include "tarn/pooling/blocks/latent_blocks.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/seed_attention.hpp"
#include "tarn/core/ops/slice.hpp"
#include "tarn/pooling/blocks/attention_block.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

LatentBlocks::LatentBlocks(Size width, const LatentOptions& o)
    : o_(o),
      dim_head_(o.dim_head.value_or(width)),
      latents_(parameter("latents", {o.num_latents, width}, normal(1))),
      norm_rows_(child("cross_attend_blocks.0.norm", std::make_unique<LayerNorm>(width))),
      norm_latents_(child("cross_attend_blocks.0.norm_context", std::make_unique<LayerNorm>(width))),
      to_q_(child("cross_attend_blocks.0.fn.to_q",
                  std::make_unique<Linear>(width, o.heads * dim_head_, Bias::no))),
      to_kv_(child("cross_attend_blocks.0.fn.to_kv",
                   std::make_unique<Linear>(width, 2 * o.heads * dim_head_, Bias::no))),
      to_out_(child("cross_attend_blocks.0.fn.to_out",
                    std::make_unique<Linear>(o.heads * dim_head_, width, Bias::no))),
      norm_ff_(child("cross_attend_blocks.1.norm", std::make_unique<LayerNorm>(width))),
      gate_(child("cross_attend_blocks.1.fn.net.0", std::make_unique<Linear>(width, 2 * o.ff_mult * width))),
      out_(child("cross_attend_blocks.1.fn.net.2", std::make_unique<Linear>(o.ff_mult * width, width))) {}

Var LatentBlocks::feed_forward(Var z) {
  Tape& tape = z.tape();
  const Var hidden =
      linear_gated_gelu(norm_ff_.forward(z), tape.parameter(gate_.weight()), tape.parameter(gate_.bias()));
  return add(z, out_.forward(hidden));
}

Var LatentBlocks::read_latents(Var x) {
  const Var keys = to_kv_.forward(norm_latents_.forward(x.tape().parameter(latents_)));  // [r, 2 h d]
  // Rows see the latents whatever their set; of one set alone keys would not count as shared.
  const Segments all_rows({0, x.rows(), x.rows()});
  const Var attended = ragged_attention({.q = {to_q_.forward(norm_rows_.forward(x)), 0},
                                         .k = {keys, 0},
                                         .v = {keys, o_.heads * dim_head_},
                                         .q_sets = all_rows,
                                         .k_sets = Segments::uniform(1, o_.num_latents),
                                         .heads = o_.heads,
                                         .key_width = dim_head_});
  return feed_forward(add(x, to_out_.forward(attended)));
}

Var LatentBlocks::read_rows(Var x, const Segments& sets) {
  Tape& tape = x.tape();
  const Var latents = tape.parameter(latents_), kv = tape.parameter(to_kv_.weight());
  const Size half = o_.heads * dim_head_;
  const Var attended = seed_attention({.q = to_q_.forward(norm_latents_.forward(latents)),
                                       .x = norm_rows_.forward(x),
                                       .sets = sets,
                                       .key_map = slice_rows(kv, 0, half),
                                       .value_map = slice_rows(kv, half, 2 * half),
                                       .heads = o_.heads});
  return feed_forward(add_to_each(to_out_.forward(attended), latents));
}

Var LatentBlocks::finish(Var y) const {
  return o_.normalize ? normalize_rows(y, 1e-12, NormGuard::maximum) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
