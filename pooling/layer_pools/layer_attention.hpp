#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"
#include "tarn/pooling/layer_pools/layer_weights.hpp"

namespace tarn {

/// Over what the scores of a layer are averaged.
enum class LayerScope { graph, node, batch };
inline std::span<const std::string_view> enum_names(LayerScope) {
  static constexpr std::array<std::string_view, 3> names{"graph", "node", "batch"};
  return names;
}

inline namespace TARN_PRECISION {

struct LayerAttentionInput {
  std::span<const Var> layers;  ///< [N, D] each
  Segments sets;
  Var query{};    ///< u [N, D], or not given: every layer weighs 1 / L
  Var offsets{};  ///< t [N, L], or not given: zeros
  double scale = 1;
  LayerWeights weights;
  LayerScope scope = LayerScope::graph;
};

struct LayerAttention {
  Var weights;  ///< a [B, L], or [N, L] for LayerScope::node; zero rows for empty sets
  Var sum;      ///< [N, D] sum_l a_l x_{v,l}
  /// Scores c before they were normalised, row by row of `weights`; empty without a query. On the tape.
  std::span<const double> scores;
};

/// Scores s_{v,l} = scale (<u_v, x_{v,l}> + t_{v,l}), their mean c over a graph (or s itself, or the mean
/// over the batch), weights a from c, and the sum of the layers by these weights.
///
/// The history is read twice and nothing of its size is written; the backward pass reads it twice and writes
/// its gradient, where it is wanted, once: g_l = sum_v <dsum_v, x_{v,l}> + da_l, dc from g, d = dc scale / n,
/// dx_{v,l} = a_l dsum_v + d_l u_v, du_v = sum_l d_l x_{v,l}. Sums over nodes in double. The caller checks
/// shapes.
LayerAttention layer_attention(const LayerAttentionInput& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
