#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/core/multi_head_attention.hpp"
#include "tarn/pooling/layer_pools/layer_attention.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include <array>

namespace tarn {

/// How the layers come to one width: by one linear map, by one for each, or as they are.
enum class HistoryProjection { shared, per_layer, none };
inline std::span<const std::string_view> enum_names(HistoryProjection) {
  static constexpr std::array<std::string_view, 3> names{"shared", "per-layer", "none"};
  return names;
}

enum class LayerEncoding { sinusoidal, learned, none };
inline std::span<const std::string_view> enum_names(LayerEncoding) {
  static constexpr std::array<std::string_view, 3> names{"sinusoidal", "learned", "none"};
  return names;
}

/// What the weights sum: the layers with their encoding, or without.
enum class HistoryValues { encoded, plain };
inline std::span<const std::string_view> enum_names(HistoryValues) {
  static constexpr std::array<std::string_view, 2> names{"encoded", "plain"};
  return names;
}

enum class NodeReadout { mean, sum, max };
inline std::span<const std::string_view> enum_names(NodeReadout) {
  static constexpr std::array<std::string_view, 3> names{"mean", "sum", "max"};
  return names;
}

struct HistographOptions : HistoryOptions {
  Size dim = 0;
  HistoryProjection projection = HistoryProjection::shared;
  LayerEncoding positional = LayerEncoding::sinusoidal;
  bool layer_attention = true;
  bool qk_bias = false;
  LayerNormalization normalization = LayerNormalization::division;
  double eps = 1e-6;
  LayerScope scope = LayerScope::graph;
  HistoryValues values = HistoryValues::encoded;
  bool node_attention = true;
  Size heads = 4;
  bool residual = false;
  bool layer_norm = false;
  double norm_eps = 1e-5;
  Size feed_forward = 0;
  double dropout = 0;
  NodeReadout readout = NodeReadout::mean;
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

/// HistoGraph. Of node v and layer l: e = W x + b, z = e + P_l. Layer attention: q_v = Wq z_{v,L-1}, s_{v,l}
/// = <q_v, Wk z_{v,l}> / sqrt(D), c_l the mean of s over the graph, a from c by division, softmax or absolute
/// division, h_v = sum_l a_l z_{v,l}. Node attention inside the graph, r = norm1(h + MHSA(h)), r = norm2(r +
/// ff2(relu(ff1(r)))), parts by option. y the mean, sum or maximum of r over the graph.
///
/// History of L matrices [N, D_l] -> y [B, D], layer_weights [B, L] ([N, L] for scope node), nodes r [N, D].
/// An empty graph gives zeros. Keys are not made: <q_v, Wk z> = <Wk^T q_v, z>, and with a shared map <w, z> =
/// <W^T w, x> + <w, b + P_l>, so the history is read twice and nothing of its size is written; see
/// `layer_attention`. Time O(N D^2 + N L D + sum n^2 D). Parameters: embed.weight, .bias (or embed.L.*),
/// position, query, key, attention.*, norm1, ff1, ff2, norm2. Figures of training: smallest_sum (of scores,
/// |t|), largest_weight (|a|), guarded (share of rows where eps stood in). Throws ConfigError for options
/// that do not fit together, ValueError naming node and layer of a history that is not finite. Galron, Sinai,
/// Maron & Eliasof 2026, "Learning from Historical Activations in Graph Neural Networks", arXiv 2601.01123.
class Histograph final : public LayerPool {
 public:
  using Options = HistographOptions;
  explicit Histograph(const Options& options);
  LayerPooled forward(const HistoryInput& in) override;
  PooledLevel level() const override { return PooledLevel::graphs; }
  Size out_dim() const override { return o_.dim; }
  std::vector<Figure> take_figures() override;
  std::vector<std::string> warnings() const override;

 private:
  /// What the layers and the parameters on them are in one pass. With a shared map `layers` are those given,
  /// and `map` its weight.
  struct Encoded {
    std::vector<Var> layers;
    Var map{};       ///< [D, D_in] shared weight, or not given
    Var encoding{};  ///< [L, D] P, + b with a shared map; or not given
    Var plain{};     ///< [L, D] the same without P
    Var last{};      ///< [N, D] z_{L-1}, for layer attention
  };
  void check() const;
  void add_node_attention();
  [[nodiscard]] Var position(Tape& tape);
  [[nodiscard]] Encoded encode(const HistoryInput& in);
  [[nodiscard]] LayerAttention attend_layers(const HistoryInput& in, const Encoded& e);
  [[nodiscard]] Var map_sum(const HistoryInput& in, const Encoded& e, const LayerAttention& a);
  [[nodiscard]] Var attend_nodes(Var h, const Segments& sets);
  void note_figures(const LayerAttention& a, const Segments& sets);

  Options o_;
  std::vector<Size> widths_;
  Tensor sinusoid_;  // [L, D]
  Linear* embed_ = nullptr;
  std::vector<Linear*> embeds_;
  Parameter* position_ = nullptr;
  Linear* query_ = nullptr;
  Linear* key_ = nullptr;
  MultiHeadAttention* attention_ = nullptr;
  LayerNorm* norm1_ = nullptr;
  Linear* ff1_ = nullptr;
  Linear* ff2_ = nullptr;
  LayerNorm* norm2_ = nullptr;

  struct Figures {
    double smallest_sum = 0, largest_weight = 0;
    Size rows = 0, guarded = 0;
  };
  Figures figures_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
