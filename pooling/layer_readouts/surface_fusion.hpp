#pragma once

#include "tarn/core/multi_head_attention.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"

#include <array>

namespace tarn {

/// How two predictions become one: gate times the log-probabilities of one and 1 - gate of the other, or
/// their sum before or after softmaxes.
enum class FusionMode { hard, soft, postnorm };
inline std::span<const std::string_view> enum_names(FusionMode) {
  static constexpr std::array<std::string_view, 3> names{"hard", "soft", "postnorm"};
  return names;
}

struct SurfaceFusionOptions {
  Size in_channels = 0;
  std::optional<Size> classes;
  Size heads = 1;
  FusionMode mode = FusionMode::hard;
  double gate = 0.8;
  double tau = 1;
  void fields(Fields& f) {
    f("in_channels", in_channels, at_least(1), "width of x");
    f("classes", classes, at_least(1), "classes; must be given");
    f("heads", heads, at_least(1), "attention heads; divides the width");
    f("mode", mode, "how the two predictions are joined");
    f("gate", gate, between(0, 1), "share of the query's own prediction in hard");
    f("tau", tau, any_finite(), "factor of the surface's scores in soft and postnorm");
  }
};

inline namespace TARN_PRECISION {

/// Surface fusion: a state attends to the embeddings (layer 0) of a set through its last layer, and what it
/// finds predicts beside the state itself. lt = W query, ls = W surface; hard: gate log_softmax(lt) + (1 -
/// gate) log_softmax(ls), not normalised again; soft: log_softmax(lt + log_softmax(tau ls)); postnorm:
/// log_softmax(log_softmax(tau ls) + log_softmax(lt)).
///
/// x [N, L, D], query [B, D] -> y [B, D] the surface, log_prob [B, V]. No gradient passes through the query
/// and the keys of the attention: the query's comes from lt alone, that of x from layer 0. Parameters:
/// sf_attn.* (see `MultiHeadAttention`), weight [V, D]. Throws ConfigError without classes. Liu et al. 2021,
/// "Understanding and Improving Encoder Layer Fusion in Sequence-to-Sequence Learning", arXiv 2012.14768, and
/// its code.
class SurfaceFusion final : public LayerReadout {
 public:
  using Options = SurfaceFusionOptions;
  explicit SurfaceFusion(const Options& options);
  LayersPooled pool(const LayersInput& in) override;
  LayerNeeds needs() const override { return {.query = true}; }

 private:
  [[nodiscard]] Var joined(Var of_query, Var of_surface) const;

  Options o_;
  MultiHeadAttention& attention_;
  Parameter& weight_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
