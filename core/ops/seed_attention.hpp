#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <optional>

namespace tarn {
inline namespace TARN_PRECISION {

struct SeedAttention {
  Var q;             ///< [S, heads * key width] projected queries, the same for all sets
  Var x;             ///< [N, C] rows
  Segments sets;     ///< over the rows
  Var key_map;       ///< [heads * key width, C]; a bias of the keys would cancel
  Var value_map;     ///< [heads * value width, C]
  Var value_bias{};  ///< [heads * value width], or not given
  Size heads = 1;
  std::optional<double> scale;  ///< 1 / sqrt(key width) where not given
  double dropout = 0;           ///< on the weights, in training
};

/// Multi-head attention of the same queries to every set: per head y_s = sum_i p_si (V x_i + b), p_s =
/// softmax_i(scale <q_s, K x_i>) -> [B S, heads * value width], set after set, heads side by side. A set
/// without rows gives zeros.
///
/// For S heads < C the key map is folded into the queries and the value map applied to what was pooled: x is
/// read once, and neither keys nor values are ever built; time O(N C S heads). Else keys and values are
/// products, and `ragged_attention` does the rest. Which way is taken depends on S, heads and C alone.
Var seed_attention(const SeedAttention& in);

}  // namespace TARN_PRECISION
}  // namespace tarn
