#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/ops/aggregate.hpp"

#include <array>

namespace tarn {

enum class GinNorm { none, batch_norm };
inline std::span<const std::string_view> enum_names(GinNorm) {
  static constexpr std::array<std::string_view, 2> names{"none", "batch-norm"};
  return names;
}

/// What `gin` and `gine` share.
struct GinCommonOptions {
  Size in_channels = 0;
  Size out_channels = 0;
  std::optional<std::vector<Size>> hidden;  ///< [out_channels] where not given
  GinNorm norm = GinNorm::none;
  std::string activation = "relu";
  double eps = 0;
  bool train_eps = false;
  void fields(Fields& f);
};

struct GinOptions : GinCommonOptions {
  Aggregate aggr = Aggregate::sum;
  void fields(Fields& f) {
    GinCommonOptions::fields(f);
    f("aggr", aggr, "how neighbours are joined");
  }
};

struct GineOptions : GinCommonOptions {
  std::optional<Size> edge_dim;
  void fields(Fields& f) {
    GinCommonOptions::fields(f);
    f("edge_dim", edge_dim, at_least(1), "width of the edge attributes; null: they have the width of x");
  }
};

inline namespace TARN_PRECISION {

/// nn((1 + eps) x + aggregate): the part after the aggregation that `gin` and `gine` share.
/// Parameters: eps [1] (state without gradient unless train_eps), nn.0.weight, ... numbered as a list.
class GinCore : public Convolution {
 public:
  Size out_dim() const override { return out_channels_; }

 protected:
  explicit GinCore(const GinCommonOptions& options);
  Var update(Var x, Var aggregated, const char* where);
  Var map(Var sum, const char* where) { return nn_.forward(sum, where); }
  Var eps(Tape& tape) { return tape.parameter(eps_); }

 private:
  Size out_channels_;
  Parameter& eps_;
  Chain& nn_;
};

/// Graph isomorphism network layer: y_i = nn((1 + eps) x_i + aggr over j of x_j). x [N, in] -> [N, out].
/// Loops are edges as any other. Xu et al. 2019, "How Powerful are Graph Neural Networks?", arXiv 1810.00826.
class Gin final : public GinCore {
 public:
  using Options = GinOptions;
  explicit Gin(const Options& options);
  Var forward(const GraphInput& in) override;
  EdgeInput edge_input() const override { return EdgeInput::none; }

 private:
  Options o_;
};

/// GIN with edge features: y_i = nn((1 + eps) x_i + sum over (j -> i) of relu(x_j + l(edge_attr_e))).
/// l is linear edge_dim -> in (`lin.weight`, `lin.bias`), or the identity. Hu et al. 2020, "Strategies for
/// Pre-training Graph Neural Networks", arXiv 1905.12265.
class Gine final : public GinCore {
 public:
  using Options = GineOptions;
  explicit Gine(const Options& options);
  Var forward(const GraphInput& in) override;
  EdgeInput edge_input() const override { return EdgeInput::features; }

 private:
  Options o_;
  Parameter* weight_ = nullptr;
  Parameter* bias_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
