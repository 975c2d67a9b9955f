#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {

struct SegmentEntmaxOptions {
  double temperature = 1;
  double alpha = 1.5;  ///< at least 1
};

inline namespace TARN_PRECISION {

/// w_i = max(0, (alpha - 1) s_i / T - tau)^(1 / (alpha - 1)) with tau making the sum over set and column 1,
/// at alpha 1 the softmax: scores [N, H] -> weights [N, H], many of them exactly 0.
///
/// alpha 1.5 and 2 (sparsemax) sort the scores, any other one halves the range of tau up to 60 times and
/// divides by the sum. Gradient u_i (g_i - sum u g / sum u) / T with u = w^(2 - alpha) where w is not 0. A
/// score of minus infinity has weight and gradient 0; a set and column with nothing else has zeros; NaN
/// spreads inside its set and column. Time O(n log n) for a set of n rows and a column, or 60 n powers;
/// memory beyond the result O(n). Throws ShapeError if the sets do not cover the scores. Martins & Astudillo
/// 2016, "From Softmax to Sparsemax", arXiv 1602.02068; Peters, Niculae & Martins 2019, "Sparse
/// Sequence-to-Sequence Models", arXiv 1905.05702.
Var segment_entmax(Var scores, const Segments& sets, const SegmentEntmaxOptions& options = {});

}  // namespace TARN_PRECISION
}  // namespace tarn
