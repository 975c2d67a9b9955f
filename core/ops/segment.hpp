#pragma once

#include "tarn/core/ops/segment_chunks.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {

/// What a set's rows become, per feature, n rows: their sum; sum/n; largest; smallest; product; population
/// variance; standard deviation, 0 where the variance is at most 1e-5; sum/sqrt(n). Of no rows: 0, and 1 for
/// the product.
enum class Reduce { sum, mean, max, min, mul, var, std, sum_over_root };

/// Whether the gradient of var and std takes the mean of the squares as a constant.
enum class SemiGrad { no, yes };

inline namespace TARN_PRECISION {

/// Any subset of statistics in one pass over the rows, side by side: x [N, D] -> [B, K D] for K statistics.
///
/// Sums and variances in double, variances about the mean; a NaN wins the maximum and spreads inside its own
/// set. Rows that share an extremum share its gradient equally; the gradient of the product is that of the
/// other factors also where they are zero. Time O(N D K), one read of x, backward one read (none for sums)
/// and one write; memory beyond the result O(B D) for var and std. Throws ShapeError if the sets do not cover
/// x.
Var segment_reduce(Var x, const Segments& sets, std::span<const Reduce> statistics,
                   SemiGrad semi_grad = SemiGrad::no, RowChoice rows = {});
inline Var segment_reduce(Var x, const Segments& sets, Reduce statistic, SemiGrad semi_grad = SemiGrad::no) {
  return segment_reduce(x, sets, {&statistic, 1}, semi_grad);
}

/// Mean of the first or last min(k, n) rows of each set; [B, D]. An empty set gives zeros.
Var segment_end_mean(Var x, const Segments& sets, SetEnd end, Size k);

}  // namespace TARN_PRECISION
}  // namespace tarn
