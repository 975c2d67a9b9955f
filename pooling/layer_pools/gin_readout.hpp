#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include <array>

namespace tarn {

enum class LayerReadout { sum, mean, max };
inline std::span<const std::string_view> enum_names(LayerReadout) {
  static constexpr std::array<std::string_view, 3> names{"sum", "mean", "max"};
  return names;
}

enum class LayerCombine { sum, concat };
inline std::span<const std::string_view> enum_names(LayerCombine) {
  static constexpr std::array<std::string_view, 2> names{"sum", "concat"};
  return names;
}

struct GinReadoutOptions : HistoryOptions {
  std::optional<Size> out_channels;
  LayerReadout readout = LayerReadout::sum;
  LayerCombine combine = LayerCombine::sum;
  double dropout = 0.5;
  void fields(Fields& f) {
    HistoryOptions::fields(f);
    f("out_channels", out_channels, at_least(1),
      "width of y; for combine concat the sum of the widths, or null");
    f("readout", readout, "how the nodes of a graph are joined, layer by layer");
    f("combine", combine, "sum of a linear map of every layer, or the layers side by side");
    f("dropout", dropout, in_range(0, 1), "share of the maps' results dropped in training");
  }
};

inline namespace TARN_PRECISION {

/// GIN's readout over all layers: y_b = sum_l dropout(prediction_l(pool_b(x_l))), or the pooled layers side
/// by side.
///
/// History -> y [B, C] (sum) or [B, sum of widths] (concat). An empty graph pools to zeros, so that it gives
/// the sum of the biases, or zeros. The first node that attains a maximum takes its gradient. Parameters of
/// sum: prediction.L.weight [C, D_l], prediction.L.bias [C]. Throws ConfigError for out_channels that do not
/// fit. Xu et al. 2019, "How Powerful are Graph Neural Networks?", arXiv 1810.00826: the paper sets side by
/// side, its code sums.
class GinReadout final : public LayerPool {
 public:
  using Options = GinReadoutOptions;
  explicit GinReadout(const Options& options);
  LayerPooled forward(const HistoryInput& in) override;
  PooledLevel level() const override { return PooledLevel::graphs; }
  Size out_dim() const override { return out_dim_; }

 private:
  Options o_;
  std::vector<Size> widths_;
  Size out_dim_ = 0;
  std::vector<Linear*> predictions_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
