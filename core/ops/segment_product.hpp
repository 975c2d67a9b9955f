#pragma once

#include "tarn/core/ops/segment_chunks.hpp"
#include "tarn/core/ops/write_row.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// The gradient of the product of each set's rows: dx_i = g_b prod_{j in b, j != i} x_j, per feature.
/// Products of the rows before and behind, never a division: right where factors are zero. x and dx [N, D], g
/// [B, D]; chunks over the rows of x. Time O(N D).
void write_product_gradient(Tape& tape, ConstMatrixView x, const SegmentChunks& chunks, ConstMatrixView g,
                            const RowWriter& dx);

}  // namespace TARN_PRECISION
}  // namespace tarn
