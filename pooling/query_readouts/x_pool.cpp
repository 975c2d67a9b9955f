#include "tarn/pooling/query_readouts/x_pool.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/seed_attention.hpp"
#include "tarn/pooling/blocks/attention_block.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

/// A map that starts as the identity: an untrained x-pool attends by the likeness of normalised query and row.
std::unique_ptr<Linear> identity_map(Size width) {
  return std::make_unique<Linear>(width, width, Bias::yes, identity_matrix(), Init{});
}

}  // namespace

XPool::XPool(const Options& o)
    : QueryReadout("x-pool", o),
      o_(o),
      norm1_(child("layer_norm1", std::make_unique<LayerNorm>(o.in_channels))),
      norm2_(child("layer_norm2", std::make_unique<LayerNorm>(o.in_channels))),
      norm3_(child("layer_norm3", std::make_unique<LayerNorm>(o.in_channels))),
      q_proj_(child("cross_attn.q_proj", identity_map(o.in_channels))),
      k_proj_(child("cross_attn.k_proj", identity_map(o.in_channels))),
      v_proj_(child("cross_attn.v_proj", identity_map(o.in_channels))),
      out_proj_(child("cross_attn.out_proj", identity_map(o.in_channels))),
      linear_proj_(child("linear_proj", identity_map(o.in_channels))) {
  require_divides(name(), "heads", o.heads, o.in_channels);
}

Var XPool::finish(Var attended) {
  const Var o = norm2_.forward(out_proj_.forward(attended));
  return norm3_.forward(add(o, dropout(linear_proj_.forward(o), o_.dropout)));
}

Var XPool::attend(const QueriesAndSets& tile) const {
  return ragged_attention({.q = {tile.q, 0},
                           .k = {tile.k, 0},
                           .v = {tile.v, 0},
                           .q_sets = Segments::uniform(1, tile.q.rows()),
                           .k_sets = tile.sets,
                           .heads = o_.heads,
                           .key_width = o_.in_channels / o_.heads});
}

Var XPool::pool(const QueryInput& in) {
  const Size queries = in.queries.rows(), width = o_.in_channels;
  const Var q = q_proj_.forward(norm1_.forward(in.queries)), z = norm1_.forward(in.x);
  if (!o_.similarity_only && queries * o_.heads < width) {
    Tape& tape = in.x.tape();
    const Var attended = seed_attention({.q = q,
                                         .x = z,
                                         .sets = in.sets,
                                         .key_map = tape.parameter(k_proj_.weight()),
                                         .value_map = tape.parameter(v_proj_.weight()),
                                         .value_bias = tape.parameter(v_proj_.bias()),
                                         .heads = o_.heads});  // [B Q, C]
    return query_major(finish(attended), in.sets.count(), queries);
  }
  const QueriesAndSets all{q, k_proj_.forward(z), v_proj_.forward(z), in.queries, in.sets};
  if (!o_.similarity_only)
    return tiled_pairs(all, width, PairResult::row,
                       [this](const QueriesAndSets& tile) { return finish(attend(tile)); });
  return tiled_pairs(all, width, PairResult::sum, [this](const QueriesAndSets& tile) {
    const auto unit = [](Var rows) { return normalize_rows(rows, 1e-12, NormGuard::maximum); };
    return multiply_elements(repeat_block(unit(tile.raw), tile.sets.count()), unit(finish(attend(tile))));
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
