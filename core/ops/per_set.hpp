#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// y_i = x_i + rows_b for every row i of set b: x [N, D], rows [B, D] -> [N, D]. The gradient of `rows` is
/// summed over each set in double. Throws ShapeError if the sets do not cover x or the shapes do not fit.
Var add_per_set(Var x, Var rows, const Segments& sets);

/// rows_b for every row of set b: rows [B, D] -> [N, D].
Var spread_over_sets(Var rows, const Segments& sets);

/// One row of zeros after the last row of each set: x [N, D] -> [N + B, D].
Var append_zero_rows(Var x, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
