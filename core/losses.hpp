#pragma once

#include "tarn/core/tape.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Mean over rows of -log softmax(logits)[label]. logits [B, C], labels [B] in 0 .. C-1 -> [1]; B = 0 gives
/// 0. With `smoothing` s the target is 1 - s on the label plus s / C on every class (Szegedy et al. 2016,
/// arXiv 1512.00567). Throws ValueError naming the first label outside the classes.
Var cross_entropy(Var logits, std::span<const Size> labels, double smoothing = 0);

/// Both directions of in-batch cross entropy, halved: S = A B^T / temperature, row i's class is i, and the
/// same on S^T. a, b [B, D] -> [1]. Inputs are not normalised. Batch 1 gives 0. Time O(B^2 D).
Var contrastive_loss(Var a, Var b, double temperature);

/// Mean of (cos(a_i, b_i) - label_i)^2; the norms in the cosine are at least 1e-8. a, b [B, D], labels [B] ->
/// [1]. The gradient flows into a, b and labels; a norm below 1e-8 counts as a constant.
Var cosine_mse_loss(Var a, Var b, Var labels);

/// Mean over the known entries of -log sigmoid(+-logit), the sign by the target: T yes-or-no tasks at once.
/// logits [B, T]; targets [B, T] in [0, 1] row-major, NaN where one is missing -> [1]; nothing known gives 0.
/// Throws ShapeError for another count, ValueError for a target outside [0, 1].
Var task_cross_entropy(Var logits, std::span<const double> targets);

/// Mean over the known entries of (y - target)^2. y [B, T]; targets [B, T] row-major, NaN where one is
/// missing -> [1]; nothing known gives 0. Throws ShapeError for another count.
Var mean_squared_error(Var y, std::span<const double> targets);

}  // namespace TARN_PRECISION
}  // namespace tarn
