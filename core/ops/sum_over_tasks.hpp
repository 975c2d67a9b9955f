#pragma once

#include "tarn/core/ops/segment_chunks.hpp"
#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Sum of what f(chunk, sum) adds to `sum` [size] over all chunks, in the order of tasks: the gradient of a
/// parameter that all sets share. Partial sums of a bounded number of tasks are held at a time. The result
/// lives on the tape.
std::span<const double> sum_over_tasks(Tape& tape, const SegmentChunks& chunks, Size size,
                                       FunctionRef<void(const SegmentChunk&, double* sum)> f);

/// Sums of what f(chunk, sum) adds to `sum` [size] over the chunks of each set, in their order, handed to
/// use(set, total).
void sum_over_sets(Tape& tape, const SegmentChunks& chunks, Size size,
                   FunctionRef<void(const SegmentChunk&, double* sum)> f,
                   FunctionRef<void(Size set, std::span<const double> total)> use);

}  // namespace TARN_PRECISION
}  // namespace tarn
