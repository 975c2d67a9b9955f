#pragma once

#include "tarn/graph/ops/edge_weights.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

struct DotAttentionInput {
  Graph graph;
  Var query;          ///< [N, H*C]
  Var key;            ///< [N, H*C]
  Var value;          ///< [N, H*C]
  Var edge_attr{};    ///< [E, F] in canonical order, or not given
  Var edge_weight{};  ///< [H*C, F], with edge_attr
  Size heads = 1;
  double dropout = 0;
};

/// Scaled dot products over edges: with t_e = W a_e, s_e = <query_i, key_j + t_e> / sqrt(C) per head, alpha
/// the softmax over the edges into i, y_i = sum_e alpha_e (value_j + t_e), heads side by side. -> [N, H*C]; a
/// node without edges gives zeros.
///
/// Dropout acts on alpha. t_e is never made: <query_i, t_e> = <W^T query_i, a_e>, and sum_e alpha_e t_e = W
/// sum_e alpha_e a_e, per head. Saves alpha [E, H]. Time O(E H (C + F) + N H C F). Shi et al. 2021, arXiv
/// 2009.03509.
Var dot_attention(const DotAttentionInput& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
