#pragma once

#include "tarn/core/multi_head_attention.hpp"
#include "tarn/core/options.hpp"

#include <array>

namespace tarn {

/// PyTorch Geometric's block, or that of the official code (juho-lee/set_transformer), from which published
/// numbers come.
enum class BlockVariant { pyg, original };
inline std::span<const std::string_view> enum_names(BlockVariant) {
  static constexpr std::array<std::string_view, 2> names{"pyg", "original"};
  return names;
}

struct AttentionBlockOptions {
  Size heads = 1;
  bool layer_norm = true;
  double dropout = 0;
  BlockVariant variant = BlockVariant::pyg;
  void fields(Fields& f) {
    f("heads", heads, at_least(1), "attention heads; divides the width");
    f("layer_norm", layer_norm, "layer norm after attention and after the feed-forward map");
    f("dropout", dropout, in_range(0, 1), "share of attention weights dropped in training; of pyg");
    f("variant", variant, "PyTorch Geometric's block or the official code's");
  }
};

inline namespace TARN_PRECISION {

/// Set Transformer's multi-head attention block.
///
/// pyg: o = q + MHA(q, x, x), o = LN(o), o = o + relu(lin(o)), o = LN(o). Parameters attn.in_proj_weight,
/// attn.in_proj_bias, attn.out_proj.*, lin.*, layer_norm1.*, layer_norm2.*.
/// original: Q = fc_q q, o = Q + softmax(Q K^T / sqrt(C)) V (the full width C in the scale, the residual on
/// the projected query), ln0, o + relu(fc_o o), ln1. Parameters fc_q.*, fc_k.*, fc_v.*, fc_o.*, ln0.*, ln1.*;
/// no dropout.
///
/// A set without rows attends to a zero vector. Lee et al. 2019, arXiv 1810.00825.
class AttentionBlock final : public Module {
 public:
  /// Throws ConfigError, naming `where`, if the heads do not divide the width.
  AttentionBlock(Size width, const AttentionBlockOptions& options, std::string_view where);
  /// Every row sees the rows of its set: [N, C] -> [N, C].
  Var forward(Var x, const Segments& sets);
  /// Rows of q see the rows of x of the same set: [M, C].
  Var forward(Var q, const Segments& q_sets, Var x, const Segments& x_sets);
  /// The same seeds [S, C] see every set: [B S, C], set after set.
  Var pool(Var seeds, Var x, const Segments& sets);
  /// The same with keys and values [N, C] in place of projections of x.
  Var pool_given(Var seeds, Var keys, Var values, const Segments& sets);

 private:
  Var finish(Var o);

  Size width_;
  AttentionBlockOptions o_;
  MultiHeadAttention* attn_ = nullptr;
  Linear *fc_q_ = nullptr, *fc_k_ = nullptr, *fc_v_ = nullptr, *feed_forward_ = nullptr;
  LayerNorm *norm1_ = nullptr, *norm2_ = nullptr;
};

/// Adds a block [S, C] to every run of S rows: rows [B S, C] -> [B S, C].
Var add_to_each(Var rows, Var block);
/// A block [S, C] once for each of B sets: [B S, C].
Var repeat_block(Var block, Size sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
