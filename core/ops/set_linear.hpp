#pragma once

#include "tarn/core/ops/activation.hpp"
#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// A linear map of the rows of a set side by side, as if zeros followed them: y_b = activation(bias + sum_{i
/// < min(n, M)} W_i x_{b,i}), W_i columns i D .. (i+1) D - 1 of weight.
///
/// x [N, D], weight [out, M D], bias [out] -> [B, out]. Rows beyond the first M have no part. Nothing is
/// padded: per place i one product over the sets that have such a row. Time O(N D out). Throws ShapeError for
/// widths that do not fit.
Var set_linear(Var x, const Segments& sets, Var weight, Var bias, Activation activation = Activation::none);

}  // namespace TARN_PRECISION
}  // namespace tarn
