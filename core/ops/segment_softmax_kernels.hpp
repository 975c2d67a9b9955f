#pragma once

#include "tarn/core/ops/segment_softmax.hpp"
#include "tarn/core/ops/segment_weights.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Weights w of the scores s of a run of sets.
void softmax_run(const SetRun& run, const SegmentSoftmaxOptions& options, const Real* s, Real* w);

/// Weights of one set by mantissas and exponents; s has been divided by the temperature. False, and nothing
/// of worth in w, where a score lies beyond what that takes, or the processor lacks fused multiply-add.
[[nodiscard]] bool two_pass_softmax(Size rows, Size cols, const Real* s, Real* w);

}  // namespace TARN_PRECISION
}  // namespace tarn
