#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/pooling/blocks/recurrent_stack.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include <array>

namespace tarn {

enum class KnowledgeMode { cat, max, lstm, mean, sum, last };
inline std::span<const std::string_view> enum_names(KnowledgeMode) {
  static constexpr std::array<std::string_view, 6> names{"cat", "max", "lstm", "mean", "sum", "last"};
  return names;
}

struct LayerJumpOptions : HistoryOptions {
  KnowledgeMode mode = KnowledgeMode::cat;
  void fields(Fields& f) {
    HistoryOptions::fields(f);
    f("mode", mode, "how the layers of a node are joined");
  }
};

inline namespace TARN_PRECISION {

/// Jumping knowledge: the layers of each node side by side (cat), their maximum, mean or sum, the last, or
/// their sum weighted by a softmax over layers of the scores att([forward_l, backward_l]) of a bidirectional
/// LSTM over the layers (lstm), of width h = floor(L D / 2) per direction.
///
/// History -> y [N, sum of widths] (cat) or [N, D] (equal widths). The first layer that attains a maximum
/// takes its gradient. Parameters of lstm: lstm.weight_ih_l0 [4h, D], weight_hh_l0 [4h, h], bias_ih_l0,
/// bias_hh_l0 [4h], the same with _reverse; att.weight [1, 2h], att.bias [1]. Time of lstm O(N L h (D + h)).
/// Throws ConfigError for unequal widths where they must be equal. Xu et al. 2018, "Representation Learning
/// on Graphs with Jumping Knowledge Networks", arXiv 1806.03536; PyTorch Geometric's conventions.
class LayerJump final : public LayerPool {
 public:
  using Options = LayerJumpOptions;
  explicit LayerJump(const Options& options);
  LayerPooled forward(const HistoryInput& in) override;
  PooledLevel level() const override { return PooledLevel::nodes; }
  Size out_dim() const override;

 private:
  [[nodiscard]] Size hidden_width() const { return o_.layers * widths_[0] / 2; }
  LayerPooled weigh_by_lstm(const HistoryInput& in);

  Options o_;
  std::vector<Size> widths_;
  RecurrentStack* lstm_ = nullptr;
  Linear* att_ = nullptr;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
