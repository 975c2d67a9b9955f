#pragma once

#include "tarn/graph/norms/norm.hpp"

#include <array>

namespace tarn {

enum class LayerNormMode { graph, node };
inline std::span<const std::string_view> enum_names(LayerNormMode) {
  static constexpr std::array<std::string_view, 2> names{"graph", "node"};
  return names;
}

struct LayerNormOptions {
  Size channels = 0;
  double eps = 1e-5;
  bool affine = true;
  LayerNormMode mode = LayerNormMode::graph;
  void fields(Fields& f) {
    f("channels", channels, at_least(1), "width of x");
    f("eps", eps, above(0), "added to the variance");
    f("affine", affine, "learn a weight and a bias per channel");
    f("mode", mode, "statistics over all values of a graph, or over the channels of a node");
  }
};

inline namespace TARN_PRECISION {

/// y = (x - mean) / sqrt(var + eps) * weight + bias, mean and biased variance over all n C values of a graph
/// (mode graph) or over the C channels of a node (mode node).
///
/// Parameters: weight, bias [C] if affine. Ba et al. 2016, "Layer Normalization", arXiv 1607.06450; the mode
/// graph is PyTorch Geometric's.
class NodeLayerNorm final : public Norm {
 public:
  using Options = LayerNormOptions;
  explicit NodeLayerNorm(const Options& o);

 protected:
  Var normalize(Var x, const Segments& sets, Activation activation) override;

 private:
  Options o_;
  Parameter* weight_ = nullptr;
  Parameter* bias_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
