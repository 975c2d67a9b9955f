#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Column sums of d [N, D] into the gradient of a row vector: in double, over fixed blocks of rows joined in
/// order.
void add_column_sums(Tape& tape, ConstMatrixView d, GradSink into);

}  // namespace TARN_PRECISION
}  // namespace tarn
