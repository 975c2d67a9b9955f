#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Maximum of the rows of each set, per feature: x [N, D] -> [B, D]; an empty set gives zeros. The first row
/// that attains a maximum takes its gradient, where `segment_reduce` shares it. A NaN wins and spreads inside
/// its own set. Throws ShapeError if the sets do not cover x.
Var segment_first_max(Var x, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
