#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Mean over rows of -log softmax(logits)[label]. logits [B, C], labels [B] in 0 .. C-1 -> [1]; B = 0 gives
/// 0. Throws ValueError naming the first label outside the classes.
Var cross_entropy(Var logits, std::span<const Size> labels);

/// Both directions of in-batch cross entropy, halved: S = A B^T / temperature, row i's class is i, and the
/// same on S^T. a, b [B, D] -> [1]. Inputs are not normalised. Batch 1 gives 0. Time O(B^2 D).
Var contrastive_loss(Var a, Var b, double temperature);

/// Mean of (cos(a_i, b_i) - label_i)^2; the norms in the cosine are at least 1e-8. a, b [B, D], labels [B] ->
/// [1]. The gradient flows into a, b and labels; a norm below 1e-8 counts as a constant.
Var cosine_mse_loss(Var a, Var b, Var labels);

}  // namespace TARN_PRECISION
}  // namespace tarn
