#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// y_i = g_i a_i + (1 - g_i) b_i with g = sigmoid(logits), one number per row: logits [N, 1], a and b [N, D].
/// Throws ShapeError for other shapes.
Var interpolate(Var logits, Var a, Var b);

}  // namespace TARN_PRECISION
}  // namespace tarn
