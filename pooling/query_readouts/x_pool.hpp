#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"
#include "tarn/pooling/query_readouts/tiled_pairs.hpp"

namespace tarn {

struct XPoolOptions {
  Size in_channels = 0;
  Size heads = 1;
  double dropout = 0.3;
  bool similarity_only = false;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x and of the queries");
    f("heads", heads, at_least(1), "attention heads; divides the width");
    f("dropout", dropout, in_range(0, 1), "share of the last map's result dropped in training");
    f("similarity_only", similarity_only, "give the cosine of query and result instead of the result");
  }
};

inline namespace TARN_PRECISION {

/// Cross-modal pooling: t = LN1(queries), z = LN1(x); o = LN2(out_proj(attention(q_proj t, k_proj z, v_proj
/// z))); y = LN3(o + dropout(linear_proj(o))). No residual from the query.
///
/// x [N, C], queries [Q, C] -> [Q, B, C], or with similarity_only [Q, B] the cosines <q / |q|, y / |y|>
/// (norms at least 1e-12). Tile by tile: beside the result no more than a tile of what lies between is held,
/// and the backward pass computes the tiles again; few queries read x once, without keys and values.
/// Parameters: cross_attn.{q,k,v,out}_proj.*, linear_proj.*, layer_norm1..3.*. An empty set attends to a zero
/// vector. The maps start as identities without bias. Time O(Q N C), keys and values once. Gorti et al. 2022, "X-Pool", arXiv 2203.15086, and its code,
/// whose result is [B, Q, C].
class XPool final : public QueryReadout {
 public:
  using Options = XPoolOptions;
  explicit XPool(const Options& options);
  Var pool(const QueryInput& in) override;
  bool gives_scores() const override { return o_.similarity_only; }

 private:
  /// What stands behind the attention, on rows.
  Var finish(Var attended);
  /// Attention of the queries of a tile to its sets: [B Q, C].
  [[nodiscard]] Var attend(const QueriesAndSets& tile) const;

  Options o_;
  LayerNorm &norm1_, &norm2_, &norm3_;
  Linear &q_proj_, &k_proj_, &v_proj_, &out_proj_, &linear_proj_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
