#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Rows begin .. end-1 of x [N, D] -> [end - begin, D], a view; no copy.
Var slice_rows(Var x, Size begin, Size end);
/// Columns begin .. end-1 of x [N, D] -> [N, end - begin], a view whose rows are strided; no copy.
Var slice_columns(Var x, Size begin, Size end);

}  // namespace TARN_PRECISION
}  // namespace tarn
