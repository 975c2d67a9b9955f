#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {

enum class Reduce { sum, mean, max };
enum class SetEnd { first, last };

inline namespace TARN_PRECISION {

/// Sum, mean or maximum of the rows of each set, per feature: x [N, D] -> [B, D]. An empty set gives zeros.
/// Rows are added in order in double; tied maxima share the gradient equally. Throws ShapeError if the sets
/// do not cover x.
Var segment_reduce(Var x, const Segments& sets, Reduce reduce);

/// Mean of the first or last min(k, n) rows of each set; [B, D]. An empty set gives zeros.
Var segment_end_mean(Var x, const Segments& sets, SetEnd end, Size k);

/// Softmax of each column inside each set: scores [N, H] -> [N, H], exp(s - max) / (sum + 1e-16). Empty sets
/// have no rows.
Var segment_softmax(Var scores, const Segments& sets);

/// Weighted sum of rows, the blocks of columns side by side without a copy: y_b = sum_{i in b} a_i [x_1, x_2,
/// ...]_i. weights [N, 1], blocks [N, D_k] -> [B, sum D_k]. Together with segment_softmax the attention
/// readout.
Var segment_weighted_sum(std::span<const Var> blocks, Var weights, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
