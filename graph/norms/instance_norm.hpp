#pragma once

#include "tarn/graph/norms/norm.hpp"

namespace tarn {

struct InstanceNormOptions {
  Size channels = 0;
  double eps = 1e-5;
  bool affine = false;
  void fields(Fields& f) {
    f("channels", channels, at_least(1), "width of x");
    f("eps", eps, above(0), "added to the variance");
    f("affine", affine, "learn a weight and a bias per channel");
  }
};

inline namespace TARN_PRECISION {

/// Per graph and channel: y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance.
///
/// Parameters: weight, bias [C] if affine. A graph of one node gives bias. Ulyanov et al. 2016, "Instance
/// Normalization", arXiv 1607.08022.
class InstanceNorm final : public Norm {
 public:
  using Options = InstanceNormOptions;
  explicit InstanceNorm(const Options& o);

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;

 private:
  Parameter* weight_ = nullptr;
  Parameter* bias_ = nullptr;
  double eps_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
