#pragma once

#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include <array>

namespace tarn {

enum class ScalarNormalization { softmax, none };
inline std::span<const std::string_view> enum_names(ScalarNormalization) {
  static constexpr std::array<std::string_view, 2> names{"softmax", "none"};
  return names;
}

struct ScalarMixOptions : HistoryOptions {
  ScalarNormalization normalization = ScalarNormalization::softmax;
  bool layer_norm = false;
  double norm_eps = 1e-5;
  void fields(Fields& f) {
    HistoryOptions::fields(f);
    f("normalization", normalization, "softmax of the scalars, or the scalars as they are");
    f("layer_norm", layer_norm, "normalise every layer of every node first, without weight or bias");
    f("norm_eps", norm_eps, above(0), "eps of that");
  }
};

inline namespace TARN_PRECISION {

/// One learned weight per layer, the same for all graphs: y_v = gamma sum_l w_l x_{v,l}, w = softmax(scalar)
/// or scalar.
///
/// History of equal widths -> y [N, D]. Parameters: scalar [L] (zeros, or 1/L without softmax), gamma [1]
/// (one). Throws ConfigError for unequal widths. Peters et al. 2018, "Deep contextualized word
/// representations" (ELMo), arXiv 1802.05365; without softmax the signed coefficients of Chien et al. 2021
/// (GPR-GNN), arXiv 2006.07988.
class ScalarMix final : public LayerPool {
 public:
  using Options = ScalarMixOptions;
  explicit ScalarMix(const Options& options);
  LayerPooled forward(const HistoryInput& in) override;
  PooledLevel level() const override { return PooledLevel::nodes; }
  Size out_dim() const override { return widths_[0]; }

 private:
  Options o_;
  std::vector<Size> widths_;
  Parameter& scalar_;
  Parameter& gamma_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
