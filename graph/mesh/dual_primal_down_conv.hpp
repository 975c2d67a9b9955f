#pragma once

#include "tarn/graph/mesh/dual_primal_res_conv.hpp"

#include <array>
#include <vector>

namespace tarn {

enum class NormLayer { group_norm, batch_norm, none };
inline std::span<const std::string_view> enum_names(NormLayer) {
  static constexpr std::array<std::string_view, 3> names{"group_norm", "batch_norm", "none"};
  return names;
}

/// What both blocks that convolve and then pool have: biases are off unless asked for, and pooling is
/// optional.
struct DownBlockOptions : DualPrimalLayerOptions, PoolAmount, EdgePoolRules {
  ClusterAggregation aggr_primal_features = ClusterAggregation::mean;
  ClusterAggregation aggr_dual_features = ClusterAggregation::mean;

  DownBlockOptions() { bias_primal = bias_dual = false; }
  void fields(Fields& f) {
    DualPrimalLayerOptions::fields(f);
    PoolAmount::fields(f);
    EdgePoolRules::fields(f);
    f("aggr_primal_features", aggr_primal_features, "how the features of a cluster are joined");
    f("aggr_dual_features", aggr_dual_features, "how the features of parallel dual nodes are joined");
  }
  [[nodiscard]] EdgePoolOptions pool() const;
};

struct DualPrimalResDownConvOptions : DownBlockOptions {
  Size num_res_blocks = 3;
  NormLayer norm_layer_type = NormLayer::group_norm;
  Size num_groups_norm_layer = 16;
  void fields(Fields& f) {
    DownBlockOptions::fields(f);
    f("num_res_blocks", num_res_blocks, at_least(0), "convolutions after the first, skipped over by one sum");
    f("norm_layer_type", norm_layer_type, "norm after the convolutions");
    f("num_groups_norm_layer", num_groups_norm_layer, at_least(1), "groups of channels of group_norm");
  }
};

struct DualPrimalDownConvOptions : DownBlockOptions {
  Size num_skips = 1;
  bool per_mesh = false;
  void fields(Fields& f) {
    DownBlockOptions::fields(f);
    f("num_skips", num_skips, at_least(0), "convolutions after the first, each skipped over");
    f("per_mesh", per_mesh, "normalise inside each mesh instead of over the batch");
  }
};

inline namespace TARN_PRECISION {

/// A block that convolves, normalises and then pools where an amount is given.
class DownBlock : public MeshLayer {
 public:
  MeshLayerResult apply(const MeshLayerInput& in) final;
  [[nodiscard]] DualPrimalWidths out() const { return options_.out(); }

 protected:
  /// Throws ConfigError for amounts that exclude each other.
  DownBlock(const char* name, const DownBlockOptions& options);
  /// Everything before pooling.
  virtual DualPrimalOutput convolve(const DualPrimal& in) = 0;

 private:
  DownBlockOptions options_;
};

/// res-conv, then x = relu(norm(x)) on both graphs where there is a norm, then pooling by the res-conv's
/// attention. Group norm takes each row by itself. Parameters: conv.* (see DualPrimalResConv), norm_primal.*,
/// norm_dual.*. Throws ConfigError for channels that the groups do not divide. Milano et al. 2020, arXiv
/// 2010.12455.
class DualPrimalResDownConv final : public DownBlock {
 public:
  using Options = DualPrimalResDownConvOptions;
  explicit DualPrimalResDownConv(const Options& options);

 private:
  class NormRelu;
  DualPrimalOutput convolve(const DualPrimal& in) override;

  DualPrimalResConv& conv_;
  NormRelu* norm_primal_ = nullptr;
  NormRelu* norm_dual_ = nullptr;
};

/// conv0, x = relu(norm(x)); then num_skips times x = relu(x + norm(conv_k(x))), on both graphs; then pooling
/// by the last attention. The norm is per channel over all rows of the batch, as the reference has it, or
/// inside each mesh; it has no parameters and is the same in training; a single row gives 0. Parameters:
/// conv{k}.*. Milano et al. 2020.
class DualPrimalDownConv final : public DownBlock {
 public:
  using Options = DualPrimalDownConvOptions;
  explicit DualPrimalDownConv(const Options& options);

 private:
  DualPrimalOutput convolve(const DualPrimal& in) override;

  bool per_mesh_;
  std::vector<DualPrimalConv*> convs_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
