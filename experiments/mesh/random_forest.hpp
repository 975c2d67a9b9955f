#pragma once

#include "tarn/core/rng.hpp"

#include <span>
#include <vector>

namespace tarn {

struct RandomForestOptions {
  Size trees = 500;
  Size candidates = 0;  ///< features tried at a node; 0: the root of their number
};

/// Classification trees on bootstrap samples, grown until their leaves are pure. Breiman 2001, "Random
/// Forests".
///
/// At a node features are drawn without repeats, `candidates` of them and on while none of those splits; the
/// split with the least Gini impurity is taken, halfway between two values, the first of equals. Trees draw
/// from (rng, tree) alone: the same bits for any number of threads.
class RandomForest {
 public:
  /// x [N, D] row-major, labels [N] in 0 .. C-1. Throws ShapeError for numbers that do not fit, ValueError
  /// without rows, for labels outside the classes and numbers that are not finite. Time O(trees N log N
  /// candidates depth).
  RandomForest(std::span<const double> x, Size dim, std::span<const Size> labels, Size num_classes,
               const RandomForestOptions& options, const Rng& rng);

  /// The class of each row of x [M, D] by the mean of the trees' leaves, the lowest of equals.
  [[nodiscard]] std::vector<Size> predict(std::span<const double> x) const;

 private:
  struct Node {
    Size feature = -1;  // -1: a leaf
    double threshold = 0;
    Size left = 0, right = 0;   // rows with x <= threshold go left
    std::vector<double> share;  // of a leaf, by class
  };
  using Tree = std::vector<Node>;
  class Grower;

  Size dim_;
  Size num_classes_;
  std::vector<Tree> trees_;
};

}  // namespace tarn
