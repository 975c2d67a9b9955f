#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {

/// What stands at a position between two sorted values: the line between them, one of them, or their middle;
/// nearest rounds half to even.
enum class Interpolation { linear, lower, higher, nearest, midpoint };

inline namespace TARN_PRECISION {

/// Quantiles of every feature of every set, at position q (n - 1) of the sorted values: x [N, D] ->
/// [B, K D], all columns of the first q, then the next.
///
/// An empty set gives fill_value; a column with a NaN gives NaN. The gradient goes to the rows whose values
/// were taken, the lowest among equal ones as a stable sort would have them. Sets of up to 2048 rows by a
/// sorting network over rows, 16 columns side by side, O(n log^2 n) comparisons; longer ones column by column
/// by selection. Memory beyond the result O(K B D) row numbers.
Var segment_quantile(Var x, const Segments& sets, std::span<const double> q, Interpolation interpolation,
                     double fill_value);

/// The rows of each set with the k largest keys, the lower row among equal keys: keys [N] -> row numbers
/// [B, k], -1 where a set has no more. Lives on the tape. No gradient.
std::span<NodeId> segment_top_rows(Tape& tape, std::span<const Real> keys, const Segments& sets, Size k);

/// Sums of chosen rows: x [N, D], rows [B, M, k], each of its own set or -1 for none -> [B, M D], times
/// factor of each [B, M] where given. Throws ShapeError if the sets do not cover x.
Var segment_pick(Var x, const Segments& sets, std::span<const NodeId> rows, Size num_sums, Size k,
                 std::span<const Real> factors = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
