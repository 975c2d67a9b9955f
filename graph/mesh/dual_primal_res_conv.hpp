#pragma once

#include "tarn/graph/mesh/dual_primal_conv.hpp"

#include <vector>

namespace tarn {

struct DualPrimalResConvOptions : DualPrimalLayerOptions {
  Size num_skips = 1;
  void fields(Fields& f) {
    DualPrimalLayerOptions::fields(f);
    f("num_skips", num_skips, at_least(0), "convolutions after the first, skipped over by one sum");
  }
};

/// Options of the second and later convolutions of a stack: from the first one's output to the same.
[[nodiscard]] DualPrimalConvOptions next_in_stack(const DualPrimalLayerOptions& first);

inline namespace TARN_PRECISION {

/// (p1, d1) = conv0(x, x_dual); for k = 1 .. num_skips (p, d) = conv_k(bn_k(p), bn_k(d)); with skips the
/// result is (p + p1, d + d1). Batch norm stands after the relu that ends a convolution, so the sum needs
/// none. The attention is that of the last convolution. Batch norm takes all rows of the batch; a single row
/// in training gives its bias. Parameters: conv0.*, bn{k}_primal.*, bn{k}_dual.*, conv{k}.*. Milano et al.
/// 2020, arXiv 2010.12455.
class DualPrimalResConv final : public MeshLayer {
 public:
  using Options = DualPrimalResConvOptions;
  explicit DualPrimalResConv(const Options& options);
  DualPrimalOutput forward(const DualPrimal& in);
  MeshLayerResult apply(const MeshLayerInput& in) override {
    return forward(in.features).on(in.features.graph);
  }
  [[nodiscard]] DualPrimalWidths out() const { return convs_[0]->out(); }

 private:
  std::vector<DualPrimalConv*> convs_;
  std::vector<BatchNorm*> primal_norms_;
  std::vector<BatchNorm*> dual_norms_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
