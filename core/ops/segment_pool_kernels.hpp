#pragma once

#include "tarn/core/ops/segment_pool.hpp"
#include "tarn/core/ops/write_row.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// What the kernels of `segment_pool` and `segment_query_pool` read, and where they write.
struct PoolPlan {
  Segments sets;
  PoolOptions options;
  Rng rng{};  ///< of the dropout
  Size num_queries = 0;
  Size width = 0;             ///< of the values
  ConstMatrixView scores{};   ///< [N, S], or no data: products with queries
  ConstMatrixView queries{};  ///< [S, D], or [B S, D]
  bool queries_of_sets = false;
  std::span<const ConstMatrixView> values;  ///< side by side; the scores' x is the first
  MatrixView y{};                           ///< [B, S out_width]
  std::span<double> highest, inverse;       ///< [B, S]: largest score, and 1 / sum
  MatrixView weights{};                     ///< [N, S], or no data
  [[nodiscard]] Size out_width() const { return width + (options.keep_sums ? 1 : 0); }
  [[nodiscard]] bool by_queries() const { return scores.data == nullptr; }
  [[nodiscard]] ConstMatrixView queries_of(Size set) const {
    return queries_of_sets ? queries.row_block(set * num_queries, (set + 1) * num_queries) : queries;
  }
};

/// What a run of rows comes to: for each query the largest score, the sum of exponentials (or scores), and
/// the weighted sum of values, [S out_width].
struct PoolTotals {
  std::span<double> highest, sum, pooled;
  /// Numbers that one of these takes.
  [[nodiscard]] static Size size(const PoolPlan& p) { return p.num_queries * (2 + p.out_width()); }
  [[nodiscard]] static PoolTotals over(const PoolPlan& p, double* memory);
};

void pool_rows(const PoolPlan& p, Size set, Rows rows, const PoolTotals& t);
void join_pooled(const PoolPlan& p, const PoolTotals& later, const PoolTotals& t);
/// y, highest and inverse of a set from its totals.
void finish_pooled(const PoolPlan& p, Size set, const PoolTotals& t);
/// The weights of rows of a finished set, where `pool_rows` has left their raw scores.
void finish_weights(const PoolPlan& p, Size set, Rows rows);

/// Where a backward pass of some rows goes; what has no data is not wanted.
struct PoolGradients {
  std::span<const RowWriter> values;  ///< by block
  MatrixView scores{};
  double* queries = nullptr;  ///< [S, D] to add to
};

/// The gradient through y, dy [B, S out_width], of rows of one set.
void pool_rows_backward(const PoolPlan& p, Size set, Rows rows, ConstMatrixView dy,
                        const PoolGradients& into);
/// The gradient through the weights, da [N, S], of a whole set.
void weights_backward(const PoolPlan& p, Size set, ConstMatrixView da, const PoolGradients& into);

}  // namespace TARN_PRECISION
}  // namespace tarn
