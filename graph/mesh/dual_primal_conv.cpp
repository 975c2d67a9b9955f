#include "tarn/graph/mesh/dual_primal_conv.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/mesh/primal_attention.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

void require_dual_primal(std::string_view where, const DualPrimal& in, const DualPrimalWidths& widths,
                         DualConfiguration configuration) {
  const auto require = [&](const char* name, Var x, Size rows, Size width) {
    if (x.rows() == rows && x.cols() == width) return;
    throw ShapeError(
        fmt::format("{}: {} is {}; expected [{}, {}]", where, name, x.shape().text(), rows, width));
  };
  if (in.x.given()) require("x", in.x, in.graph.num_nodes(), widths.primal);
  require("x_dual", in.x_dual, in.graph.num_dual_nodes(), widths.dual);
  if (in.graph.configuration() == configuration) return;
  const auto name = [](DualConfiguration c) { return enum_names(c)[static_cast<std::size_t>(c)]; };
  throw ConfigError(fmt::format("{}: the graph has configuration {}; expected {}", where,
                                name(in.graph.configuration()), name(configuration)));
}

AttentionStep::AttentionStep(const AttentionStepSettings& s)
    : settings_(s),
      lin_(child("lin",
                 std::make_unique<Linear>(s.in, s.heads * s.out, Bias::no, glorot(s.heads * s.out, s.in)))),
      // Both halves start as one vector of twice the width would.
      att_dst_(parameter("att_dst", {1, s.heads, s.out}, glorot(s.heads, 2 * s.out))),
      att_src_(parameter("att_src", {1, s.heads, s.out}, glorot(s.heads, 2 * s.out))) {
  if (s.bias) bias_ = &parameter("bias", {s.concat ? s.heads * s.out : s.out}, constant(0));
}

Var AttentionStep::forward(Var x, const Graph& graph, Loops loops, Activation activation) {
  Tape& tape = x.tape();
  const Var z = lin_.forward(x);  // [D, H*Od]
  Var y = edge_attention({.graph = graph,
                          .loops = loops,
                          .values = z,
                          .source = head_dot(z, tape.parameter(att_src_)),
                          .target = head_dot(z, tape.parameter(att_dst_)),
                          .edge_scores = {},
                          .loop_scores = {},
                          .negative_slope = settings_.negative_slope,
                          .dropout = settings_.dropout});
  if (!settings_.concat) y = average_heads(y, settings_.heads);
  if (bias_ != nullptr) y = add_row(y, tape.parameter(*bias_));
  return activate(y, activation);
}

/// The primal half of a layer. Parameters: lin.weight, att, bias.
class DualPrimalConv::PrimalStep final : public Module {
 public:
  explicit PrimalStep(const Options& o)
      : o_(o),
        lin_(child("lin",
                   std::make_unique<Linear>(o.in_channels_primal, o.heads * o.out_channels_primal, Bias::no,
                                            glorot(o.heads * o.out_channels_primal, o.in_channels_primal)))),
        att_(parameter("att", {1, o.heads, o.out_channels_dual}, glorot(o.heads, o.out_channels_dual))) {
    if (o.bias_primal) bias_ = &parameter("bias", {o.out().primal}, constant(0));
  }

  Var attention(Var y_dual, const PrimalDualGraph& graph) {
    const Var scores = head_dot(y_dual, y_dual.tape().parameter(att_));  // [D, H]
    return dropout(primal_attention(graph, scores, o_.negative_slope_primal), o_.dropout_primal);
  }

  Var forward(Var x, Var attention, const PrimalDualGraph& graph) {
    Var y = attended_sum(graph, lin_.forward(x), attention);
    if (!o_.concat_primal) y = average_heads(y, o_.heads);
    if (bias_ != nullptr) y = add_row(y, x.tape().parameter(*bias_));
    return relu(y);
  }

 private:
  const Options& o_;
  Linear& lin_;
  Parameter& att_;
  Parameter* bias_ = nullptr;
};

DualPrimalConv::DualPrimalConv(const Options& o)
    : o_(o),
      dual_(child("dual", std::make_unique<AttentionStep>(
                              AttentionStepSettings{.in = o.in_channels_dual,
                                                    .out = o.out_channels_dual,
                                                    .heads = o.heads,
                                                    .concat = o.concat_dual,
                                                    .negative_slope = o.negative_slope_dual,
                                                    .dropout = o.dropout_dual,
                                                    .bias = o.bias_dual}))),
      primal_(child("primal", std::make_unique<PrimalStep>(o_))) {
  if (o.concat_dual || o.heads == 1) return;
  throw ConfigError(
      fmt::format("dual-primal-conv.concat_dual: got false with {} heads; expected true, or one head: every "
                  "head of the primal attention needs dual features of its own",
                  o.heads));
}

DualPrimalOutput DualPrimalConv::forward(const DualPrimal& in) {
  require_dual_primal("dual-primal-conv", in, o_.in(), o_.configuration);
  DualPrimalOutput out;
  out.x_dual = dual_.forward(in.x_dual, in.graph.dual(),
                             o_.dual_self_loops ? Loops::one_each : Loops::left_out, Activation::relu);
  out.attention = primal_.attention(out.x_dual, in.graph);
  if (in.x.given()) out.x = primal_.forward(in.x, out.attention, in.graph);
  return out;
}

MeshLayerResult DualPrimalConv::apply(const MeshLayerInput& in) {
  return forward(in.features).on(in.features.graph);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
