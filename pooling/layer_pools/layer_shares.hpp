#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// softmax of the learned numbers of L layers, [L].
Var layer_softmax(Var scalars);
/// gamma times the shares of L layers: [L] and [1] -> [L, 1].
Var scaled_shares(Var shares, Var gamma);

}  // namespace TARN_PRECISION
}  // namespace tarn
