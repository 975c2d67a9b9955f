#include "tarn/pooling/blocks/attention_block.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/ragged_attention.hpp"
#include "tarn/core/ops/seed_attention.hpp"
#include "tarn/pooling/checks.hpp"

#include <algorithm>
#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

AttentionBlock::AttentionBlock(Size width, const AttentionBlockOptions& options, std::string_view where)
    : width_(width), o_(options) {
  require_divides(where, "heads", o_.heads, width);
  const auto linear_map = [&](const char* name) {
    return &child(name, std::make_unique<Linear>(width, width));
  };
  const auto norm = [&](const char* name) {
    return o_.layer_norm ? &child(name, std::make_unique<LayerNorm>(width)) : nullptr;
  };
  if (o_.variant == BlockVariant::pyg) {
    attn_ = &child("attn", std::make_unique<MultiHeadAttention>(width, o_.heads, o_.dropout, where));
    feed_forward_ = linear_map("lin");
    norm1_ = norm("layer_norm1");
    norm2_ = norm("layer_norm2");
  } else {
    fc_q_ = linear_map("fc_q");
    fc_k_ = linear_map("fc_k");
    fc_v_ = linear_map("fc_v");
    feed_forward_ = linear_map("fc_o");
    norm1_ = norm("ln0");
    norm2_ = norm("ln1");
  }
}

Var AttentionBlock::finish(Var o) {
  if (norm1_ != nullptr) o = norm1_->forward(o);
  o = add(o, feed_forward_->forward(o, Activation::relu));
  return norm2_ != nullptr ? norm2_->forward(o) : o;
}

Var AttentionBlock::forward(Var x, const Segments& sets) {
  if (attn_ != nullptr) return finish(add(x, attn_->forward(x, sets)));
  return forward(x, sets, x, sets);
}

Var AttentionBlock::forward(Var q, const Segments& q_sets, Var x, const Segments& x_sets) {
  if (attn_ != nullptr) return finish(add(q, attn_->forward(q, q_sets, x, x_sets)));
  const Var queries = fc_q_->forward(q);
  return finish(add(queries, ragged_attention({.q = {queries, 0},
                                               .k = {fc_k_->forward(x), 0},
                                               .v = {fc_v_->forward(x), 0},
                                               .q_sets = q_sets,
                                               .k_sets = x_sets,
                                               .heads = o_.heads,
                                               .key_width = width_ / o_.heads,
                                               .scale = 1 / std::sqrt(static_cast<double>(width_))})));
}

Var AttentionBlock::pool(Var seeds, Var x, const Segments& sets) {
  if (attn_ != nullptr) return finish(add_to_each(attn_->pool(seeds, x, sets), seeds));
  Tape& tape = x.tape();
  const Var q = fc_q_->forward(seeds);
  return finish(add_to_each(seed_attention({.q = q,
                                            .x = x,
                                            .sets = sets,
                                            .key_map = tape.parameter(fc_k_->weight()),
                                            .value_map = tape.parameter(fc_v_->weight()),
                                            .value_bias = tape.parameter(fc_v_->bias()),
                                            .heads = o_.heads,
                                            .scale = 1 / std::sqrt(static_cast<double>(width_))}),
                            q));
}

Var AttentionBlock::pool_given(Var seeds, Var keys, Var values, const Segments& sets) {
  if (attn_ != nullptr) return finish(add_to_each(attn_->pool_given(seeds, keys, values, sets), seeds));
  const Var q = fc_q_->forward(seeds);
  return finish(add_to_each(ragged_attention({.q = {q, 0},
                                              .k = {keys, 0},
                                              .v = {values, 0},
                                              .q_sets = Segments::uniform(1, q.rows()),
                                              .k_sets = sets,
                                              .heads = o_.heads,
                                              .key_width = width_ / o_.heads,
                                              .scale = 1 / std::sqrt(static_cast<double>(width_))}),
                            q));
}

Var add_to_each(Var rows, Var block) {
  const Size count = block.shape().count();
  const Shape by_set{count == 0 ? 0 : rows.shape().count() / count, count};
  return reshape(add_row(reshape(rows, by_set), reshape(block, {count})), rows.shape());
}

Var repeat_block(Var block, Size sets) {
  const Shape shape{sets * block.rows(), block.cols()};
  const MatrixView zeros = block.tape().allocate(shape);
  std::fill_n(zeros.data, zeros.size(), Real{0});
  return add_to_each(block.tape().input(zeros, shape), block);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
