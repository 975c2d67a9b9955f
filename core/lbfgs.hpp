#pragma once

#include "tarn/core/parallel.hpp"
#include "tarn/core/real.hpp"

#include <span>
#include <vector>

namespace tarn {

struct MinimiserOptions {
  Size max_iterations = 500;
  double tolerance = 1e-6;  ///< done when no component of the gradient is larger
  Size history = 10;        ///< pairs of steps and gradient changes that stand for the curvature
};

struct Minimum {
  std::vector<double> point;
  double value = 0;
  Size iterations = 0;
  bool converged = false;
};

/// Value of a function at `point`; writes its gradient.
using GradientFunction = FunctionRef<double(std::span<const double> point, std::span<double> gradient)>;

/// Minimises a smooth convex function from `start` by limited-memory BFGS with a backtracking line search.
/// Runs on the calling thread; deterministic. Ends without convergence where no step along the descent
/// direction lowers the value any more. Liu and Nocedal 1989, "On the limited memory BFGS method for large
/// scale optimization".
[[nodiscard]] Minimum minimise_lbfgs(GradientFunction function, std::vector<double> start,
                                     const MinimiserOptions& options);

}  // namespace tarn
