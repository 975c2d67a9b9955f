#pragma once

#include "tarn/graph/ops/edge_weights.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

struct DynamicAttentionInput {
  Graph graph;
  Loops loops = Loops::as_given;
  Var source;         ///< l [N, H*C]: score term of an edge's source, and its value
  Var target;         ///< r [N, H*C]: score term of its target; may be `source`
  Var att;            ///< [1, H, C]
  Var edge_attr{};    ///< [E, F] in canonical order, or not given
  Var loop_attr{};    ///< [N, F] for Loops::one_each with edge_attr
  Var edge_weight{};  ///< [H*C, F], with edge_attr
  double negative_slope = 0.2;
  double dropout = 0;
};

/// Attention whose scores are not linear in a node: a_e = <att, leaky_relu(l_j + r_i + W a_e)> per head,
/// alpha the softmax over the edges into i, y_i = sum_e alpha_e l_j, heads side by side. -> [N, H*C]; a node
/// without edges gives zeros.
///
/// Dropout acts on alpha. Saves alpha [E + N, H]; the sums in the scores are made again in the backward pass,
/// once over incoming and once over outgoing edges. Time O(E H C F'), F' = 1 + F. Brody et al. 2022, arXiv
/// 2105.14491.
Var dynamic_attention(const DynamicAttentionInput& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
