#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/view.hpp"

#include <span>
#include <vector>

namespace tarn {

struct LogisticRegressionOptions {
  double l2 = 1e-3;
  Size max_iterations = 500;
  double tolerance = 1e-6;

  void fields(Fields& f);
};

/// Rows of few non-zero numbers: row i has values[k] in column columns[k] for k in offsets[i] ..
/// offsets[i+1]-1.
struct SparseRows {
  Size cols = 0;
  std::vector<Size> offsets{0};
  std::vector<NodeId> columns;
  std::vector<double> values;
  [[nodiscard]] Size rows() const { return static_cast<Size>(offsets.size()) - 1; }
};

/// A linear classifier over D features and C classes: the class of x is arg max_c (weights_c . x + bias_c).
struct LinearClassifier {
  Size num_classes = 0;
  Size dim = 0;
  std::vector<double> weights;  ///< [C, D], as a linear layer has them
  std::vector<double> bias;     ///< [C]
  double loss = 0;              ///< mean cross entropy plus penalty where the fit ended
  Size iterations = 0;
  bool converged = false;  ///< the largest gradient fell below the tolerance before the iterations ran out
};

inline namespace TARN_PRECISION {

/// Multinomial logistic regression on standardised features.
///
/// Minimises mean_i [logsumexp_c(s_ic) - s_i,y_i] + l2/2 |W|^2, s_i = W z_i + b, where z is x with every
/// column shifted and scaled to mean 0 and variance 1 (a constant column gets weight zero). For two classes
/// this is the binary regression with penalty l2/4 |w|^2 on w = W_1 - W_0. The weights that come back apply
/// to x as it was given. Solved by L-BFGS in double, from zero, until no gradient exceeds the tolerance;
/// convex, so the start does not matter. The same bits for any number of threads. x [N, D], labels [N] in 0
/// .. C-1. Time O(iterations N D C); memory O(D C) beside x. Throws ShapeError for labels that are not
/// one a row, ValueError for a label outside the classes, no rows, fewer than two classes, a number that is
/// not finite.
[[nodiscard]] LinearClassifier fit_logistic_regression(ConstMatrixView x, std::span<const Size> labels,
                                                       Size num_classes,
                                                       const LogisticRegressionOptions& options = {});

/// Class of every row; the lowest on a tie.
[[nodiscard]] std::vector<Size> predict(const LinearClassifier& model, ConstMatrixView x);

}  // namespace TARN_PRECISION

/// The same objective on sparse rows as they are, without standardising.
[[nodiscard]] LinearClassifier fit_logistic_regression(const SparseRows& x, std::span<const Size> labels,
                                                       Size num_classes,
                                                       const LogisticRegressionOptions& options = {});
[[nodiscard]] std::vector<Size> predict(const LinearClassifier& model, const SparseRows& x);

}  // namespace tarn
