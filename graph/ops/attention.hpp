#pragma once

#include "tarn/graph/ops/edge_weights.hpp"

namespace tarn {

inline namespace TARN_PRECISION {

/// <att_h, z_ih> per head: z [N, H*C], att [1, H, C] -> [N, H].
Var head_dot(Var z, Var att);

/// sum_c att_hc W_(hC+c)f per head: weight [H*C, F], att [1, H, C] -> [H, F].
Var contract_heads(Var weight, Var att);

struct EdgeAttentionInput {
  Graph graph;
  Loops loops = Loops::as_given;
  Var values;       ///< [N, H*C]
  Var source;       ///< [N, H] score term of an edge's source
  Var target;       ///< [N, H] score term of its target
  Var edge_scores;  ///< [E, H] in canonical order, or not given
  Var loop_scores;  ///< [N, H] for Loops::one_each with edge_scores
  double negative_slope = 0.2;
  double dropout = 0;
};

/// Additive attention over incoming edges, heads side by side: a_e = leaky_relu(source_j + target_i +
/// edge_e), alpha the softmax over the edges into i (sum + 1e-16), y_i = sum_e alpha_e values_j. -> [N, H*C];
/// a node without edges gives zeros.
///
/// Dropout acts on alpha. Gathers over incoming edges forward and outgoing ones backward; saves alpha [E + N,
/// H]. Time O(E H C). Velickovic et al. 2018, arXiv 1710.10903.
Var edge_attention(const EdgeAttentionInput& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
