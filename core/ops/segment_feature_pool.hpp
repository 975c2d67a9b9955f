#pragma once

#include "tarn/core/ops/segment.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// A softmax of its own for every feature, scores t x: a_i = softmax_{i in b}(t x_i), y_b = sum a_i x_i.
///
/// x [N, D], t [1] or [D], or not given for the constant `value` -> [B, D]. t > 0 leans to the maximum, t < 0
/// to the minimum. With SemiGrad::yes the weights count as constants. An empty set gives zeros. One read of x
/// for scores and values; backward one read and one write; memory beyond the result 2 B D. Time O(N D).
Var segment_feature_softmax(Var x, Var t, double value, const Segments& sets,
                            SemiGrad semi_grad = SemiGrad::no);

/// A softmax of its own for every column of scores: y_b[e V + d] = sum_i softmax_i(s_i[e V + d]) v_i[d].
///
/// scores [N, E V], values [N, V] -> [B, E V]. An empty set gives zeros. Throws ShapeError for widths that do
/// not fit.
Var segment_feature_pool(Var scores, Var values, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
