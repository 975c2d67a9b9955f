#pragma once

#include "tarn/pooling/layer_readouts/layer_readout.hpp"

#include <array>
#include <vector>

namespace tarn {

enum class RowReadout { mean, last, max, first };
inline std::span<const std::string_view> enum_names(RowReadout) {
  static constexpr std::array<std::string_view, 4> names{"mean", "last", "max", "first"};
  return names;
}

struct LayerMixOptions {
  Size in_channels = 0;
  Size num_layers = 0;
  std::optional<std::vector<Size>> layers;
  bool learn = true;
  RowReadout readout = RowReadout::mean;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("num_layers", num_layers, at_least(1), "layers of x");
    f("layers", layers, any_finite(), "which are mixed, negative ones from the end; null: all");
    f("learn", learn, "learn their weights; false: their mean");
    f("readout", readout, "how rows are joined");
  }
};

inline namespace TARN_PRECISION {

/// One learned weight per layer, then a readout over the rows: z_i = gamma sum_l softmax(s)_l x_il. First and
/// last layer alone, not learned, are first-last averaging.
///
/// x [N, L, D] -> [B, D]; an empty set gives zeros. Parameters (learn): scalar_parameters [layers mixed],
/// zeros; gamma [1], one. For mean, first and last every layer is reduced first and what is mixed are [B, D]:
/// x is read once. Throws ConfigError for a layer that there is not. Peters et al. 2018, "Deep contextualized
/// word representations", arXiv 1802.05365; AllenNLP's norm over the whole batch is not offered.
class LayerMix final : public LayerReadout {
 public:
  using Options = LayerMixOptions;
  explicit LayerMix(const Options& options);
  LayersPooled pool(const LayersInput& in) override;
  bool reads_order() const override {
    return o_.readout == RowReadout::last || o_.readout == RowReadout::first;
  }

 private:
  Var reduce(Var x, const Segments& sets) const;
  Var mixed(std::span<const Var> blocks);

  Options o_;
  std::vector<Size> layers_;
  Parameter *scalars_ = nullptr, *gamma_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
