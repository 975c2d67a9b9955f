#pragma once

#include "tarn/core/tape.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// y = sum_l w_l x_l over blocks [N, D] with one learned weight each: weights [L]. Blocks are read once; the
/// gradient of a weight is summed in double. Throws ShapeError for unequal shapes or another number of
/// weights.
Var mix(std::span<const Var> blocks, Var weights);

}  // namespace TARN_PRECISION
}  // namespace tarn
