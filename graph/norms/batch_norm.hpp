#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/norms/norm.hpp"

namespace tarn {

struct BatchNormOptions {
  Size channels = 0;
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = true;
  bool allow_single_element = false;
  void fields(Fields& f) {
    f("channels", channels, at_least(1), "width of x");
    f("eps", eps, above(0), "added to the variance");
    f("momentum", momentum, between(0, 1), "share of a batch in the running statistics");
    f("affine", affine, "learn a weight and a bias per channel");
    f("allow_single_element", allow_single_element,
      "a training batch of one node takes the running statistics; false: it is an error");
  }
};

inline namespace TARN_PRECISION {

/// Batch norm over all nodes of a batch, whatever their graph: y = (x - mean) / sqrt(var + eps) * weight +
/// bias per channel; running statistics in evaluation. See `batch_norm` in core for training and its state.
///
/// Parameters: weight, bias [C] if affine; state running_mean, running_var [C]. Throws ShapeError for a
/// training batch of one node unless allow_single_element. Ioffe & Szegedy 2015, "Batch Normalization",
/// arXiv 1502.03167.
class NodeBatchNorm final : public Norm {
 public:
  using Options = BatchNormOptions;
  explicit NodeBatchNorm(const Options& o);

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;

 private:
  BatchNorm& norm_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
