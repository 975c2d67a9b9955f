#pragma once

#include "tarn/pooling/blocks/attention_block.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <vector>

namespace tarn {

/// How patches are joined; var and std are those with n - 1.
enum class PatchReduce { sum, mean, min, max, var, std };
inline std::span<const std::string_view> enum_names(PatchReduce) {
  static constexpr std::array<std::string_view, 6> names{"sum", "mean", "min", "max", "var", "std"};
  return names;
}

struct PatchTransformerOptions : WidthOptions {
  Size out_channels = 64;
  Size patch_size = 4;
  Size hidden_channels = 64;
  Size num_transformer_blocks = 1;
  Size heads = 1;
  double dropout = 0;
  std::vector<std::string> aggr{"mean"};
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("out_channels", out_channels, at_least(1), "width of the result");
    f("patch_size", patch_size, at_least(1), "rows of a patch");
    f("hidden_channels", hidden_channels, at_least(2), "width of a patch; even");
    f("num_transformer_blocks", num_transformer_blocks, at_least(0), "blocks on the patches");
    f("heads", heads, at_least(1), "attention heads; divides hidden_channels");
    f("dropout", dropout, in_range(0, 1), "share of attention weights dropped in training");
    f("aggr", aggr, "how patches are joined, side by side: sum, mean, min, max, var, std");
  }
};

inline namespace TARN_PRECISION {

/// Runs of patch_size rows become patches, that attend to each other and are reduced: y = fc(reduce(blocks(
/// pad_projector([lin(x_i), ..]) + position))).
///
/// x [N, D] -> [B, out]; a short last patch counts as if zeros followed it, which nothing pads; an empty set
/// gives zeros. Positions: sin(p f_j) and cos(p f_j), f_j = 1e-4^(j / (H/2 - 1)), p the patch in its set.
/// var and std are those with n - 1, 0 for one patch. Parameters: lin.*, pad_projector.*, blocks.K.*, fc.*.
/// Throws ConfigError for an odd width, heads that do not divide it, or an unknown reduction. PyTorch
/// Geometric's PatchTransformerAggregation (SimpleTHN) on one set alone.
class PatchTransformer final : public Readout {
 public:
  using Options = PatchTransformerOptions;
  explicit PatchTransformer(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size) const override { return o_.out_channels; }
  RowOrder row_order() const override { return RowOrder::read; }

 private:
  Options o_;
  std::vector<PatchReduce> reduce_;
  Linear &lin_, &pad_projector_;
  std::vector<AttentionBlock*> blocks_;
  Linear& fc_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
