#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// States before and after an update step, S rows per set, and the keys they see.
struct HopfieldStep {
  ConstMatrixView before, after;  ///< [B S, h d]
  ConstMatrixView keys;           ///< [N, h d]
  Segments sets;
  Size states;
  Size heads;
  double beta;
};

/// Marks those heads [B h] as still whose attention weights, S n numbers, moved by no more than eps in the
/// L2 norm; heads that stand still already stay so. In double. Time O(N S h d) over the moving heads.
void stop_still_heads(const HopfieldStep& step, double eps, std::vector<bool>& moving);

/// Columns of head h of set b from `a` where chosen [B h], else from `b`: both [B S, h d], S rows per set.
Var choose_heads(const std::vector<bool>& chosen, Size heads, Size states, Var a, Var b);

}  // namespace TARN_PRECISION
}  // namespace tarn
