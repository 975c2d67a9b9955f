#pragma once

#include "tarn/graph/norms/norm.hpp"

namespace tarn {

struct PairNormOptions {
  double scale = 1;
  bool scale_individually = false;
  double eps = 1e-5;
  void fields(Fields& f) {
    f("scale", scale, any_finite(), "factor of the result");
    f("scale_individually", scale_individually, "bring every node to the same length");
    f("eps", eps, above(0), "added to the mean squared length, or to each length");
  }
};

inline namespace TARN_PRECISION {

/// Per graph u = x - mean; y = scale u / sqrt(eps + mean of |u_i|^2), or, individually, scale u_i / (eps +
/// |u_i|).
///
/// No parameters, any width. A graph of one node gives zeros. Individually and at u_i = 0: y = 0, and the
/// gradient of |u_i| counts as zero. Zhao & Akoglu 2020, "PairNorm", arXiv 1909.12223.
class PairNorm final : public Norm {
 public:
  using Options = PairNormOptions;
  explicit PairNorm(const Options& o);

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;

 private:
  Options o_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
