#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <array>

namespace tarn {

/// What the scorer and the sum see of the layers: all side by side with the raw tokens, their maximum or
/// mean, or the last alone.
enum class JumpingKnowledge { cat, max, mean, last };
inline std::span<const std::string_view> enum_names(JumpingKnowledge) {
  static constexpr std::array<std::string_view, 4> names{"cat", "max", "mean", "last"};
  return names;
}

struct GlotOptions : WidthOptions, TokenGraphOptions {
  Size hidden_channels = 128;
  Size num_layers = 2;
  std::string conv = "gat";
  Size heads = 1;
  JumpingKnowledge jk = JumpingKnowledge::cat;
  Size scorer_hidden = 0;
  double dropout = 0;
  void fields(Fields& f) {
    WidthOptions::fields(f);
    f("hidden_channels", hidden_channels, at_least(1), "width of each convolution");
    f("num_layers", num_layers, at_least(0), "convolutions; 0 is attention over raw tokens");
    f("conv", conv, convolutions().names(), "message passing inside the token graph");
    f("heads", heads, at_least(1), "attention heads, averaged; only for convolutions that have them");
    f("jk", jk, "which layers the scorer and the sum see");
    f("scorer_hidden", scorer_hidden, at_least(0), "width of the scorer; 0: max(128, half of what it sees)");
    f("dropout", dropout, in_range(0, 1), "share of elements dropped after every relu in training");
    TokenGraphOptions::fields(f);
  }
};

inline namespace TARN_PRECISION {

/// GLOT: h_0 = x, h_l = relu(conv_l(h_{l-1}, token graph of x)), H = jk(h_0 .. h_K), s =
/// linear(tanh(linear(H))), a = softmax of s per set, y_b = sum over the set of a_i H_i.
///
/// x [N, D] -> y [B, out], weights [N, 1]; out = D + K C for jk cat, else C. An empty set gives zeros, one
/// token has weight 1. No gradient flows through the graph. Parameters: convs.L.*, score_layer.0,
/// score_layer.2. The layers are never copied side by side: the scorer is a sum of products over column
/// blocks. Time O(sum n^2 D + K (N C^2 + E C) + N out m), m the scorer's width. Throws ConfigError for
/// options that do not fit together. Mantri et al. 2026, "Towards Improved Sentence Representations using
/// Token Graphs", ICLR, arXiv 2603.03389.
class Glot final : public Readout {
 public:
  using Options = GlotOptions;
  explicit Glot(const Options& options);
  Pooled pool(const SetInput& in) override;
  Size out_dim(Size in_dim) const override;
  const TokenGraphOptions* token_graph_options() const override { return &o_; }
  RowOrder row_order() const override;

 private:
  /// One convolution of the stack, with the options the paper's code gives it.
  std::unique_ptr<Convolution> make_convolution(Size in_dim) const;
  const TokenGraph& graph_of(const SetInput& in);
  Var edge_attr(Tape& tape, const TokenGraph& graph) const;
  /// The blocks of columns that jk makes of the layers.
  std::vector<Var> join_layers(std::vector<Var> layers) const;

  Options o_;
  std::vector<Convolution*> convs_;
  Chain* score_layer_ = nullptr;
  TokenGraph built_;  // the graph of the last forward that was not handed one
};

}  // namespace TARN_PRECISION
}  // namespace tarn
