#pragma once

#include "tarn/graph/norms/norm.hpp"

namespace tarn {

struct GraphNormOptions {
  Size channels = 0;
  double eps = 1e-5;
  void fields(Fields& f) {
    f("channels", channels, at_least(1), "width of x");
    f("eps", eps, above(0), "added to the mean square");
  }
};

inline namespace TARN_PRECISION {

/// Per graph and channel: u = x - mean_scale mean, y = weight u / sqrt(mean(u^2) + eps) + bias.
///
/// Parameters: weight, bias, mean_scale [C], starting at 1, 0, 1. A graph of one node gives bias while
/// mean_scale is 1. Cai et al. 2021, "GraphNorm", arXiv 2009.03294.
class GraphNorm final : public Norm {
 public:
  using Options = GraphNormOptions;
  explicit GraphNorm(const Options& o);

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;

 private:
  Parameter& weight_;
  Parameter& bias_;
  Parameter& mean_scale_;
  double eps_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
