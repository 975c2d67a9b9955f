#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Sample variance (n - 1) of the rows of each set, per column, 0 for fewer than two rows: x [N, D] -> [B,
/// D]; and its square root, without gradient where that is 0.
Var sample_variance(Var x, const Segments& sets);
Var sample_deviation(Var x, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
