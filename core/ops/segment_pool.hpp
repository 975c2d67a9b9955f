#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {

/// How the scores s of a set become the weights a of its rows: exp(s_i) / sum exp(s); s_i / sum s, zeros
/// where the sum is 0; s_i itself.
enum class Weighing { softmax, share, given };

struct PoolOptions {
  Weighing weighing = Weighing::softmax;
  double dropout = 0;      ///< share of the weights that a training pass zeroes, dividing the others by 1 - p
  bool keep_sums = false;  ///< one more column behind each block: the sum of the weights after dropout
};

inline namespace TARN_PRECISION {

struct PooledRows {
  Var y;
  Var weights{};  ///< [N, S], before dropout; not given where they would take more than 1/25 of the values
};

/// Weighted sums of whole rows, S at once: y_b = [sum_{i in b} a_is v_i for each s], a per column of scores.
///
/// scores [N, S]; values [N, V_k], side by side without a copy, V in all -> y [B, S V], s-major. An empty set
/// gives zeros. One pass over the values forward and one backward, weights recomputed from the largest score
/// and the sum of each set. Time O(N S V), memory beyond the result O(B S). Throws ShapeError for rows that
/// do not fit.
PooledRows segment_pool(Var scores, std::span<const Var> values, const Segments& sets,
                        const PoolOptions& options = {});

/// The same with scores s_i = <x_i, q> and values x: x is read once for both. queries [S, D] for all sets or
/// [B, S, D] for each its own; y [B, S D]. This is attention with one key projection folded into the queries,
/// q = W_k^T (W_q z + b_q) / sqrt(d), where no keys are ever built. Time O(N S D).
PooledRows segment_query_pool(Var x, Var queries, const Segments& sets, const PoolOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
