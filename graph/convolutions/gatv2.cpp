#include "tarn/graph/convolutions/gatv2.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/ops/dynamic_attention.hpp"
#include "tarn/graph/ops/edge_data.hpp"

namespace tarn {

namespace {

std::unique_ptr<Linear> glorot_linear(Size in, Size out, Bias bias) {
  return std::make_unique<Linear>(in, out, bias, glorot(out, in));
}

}  // namespace

inline namespace TARN_PRECISION {

Gatv2::Gatv2(const Options& o)
    : o_(o),
      lin_l_(child("lin_l",
                   glorot_linear(o.in_channels, o.heads * o.out_channels, o.bias ? Bias::yes : Bias::no))),
      att_(parameter("att", {1, o.heads, o.out_channels}, glorot(o.heads, o.out_channels))) {
  check_options(o, "gatv2");
  const Size width = o.heads * o.out_channels;
  if (!o.share_weights) {
    lin_r_ = &child("lin_r", glorot_linear(o.in_channels, width, o.bias ? Bias::yes : Bias::no));
  }
  if (o.edge_dim) lin_edge_ = &child("lin_edge", glorot_linear(*o.edge_dim, width, Bias::no));
  if (o.bias) bias_ = &parameter("bias", {out_dim()}, constant(0));
  if (o.residual) res_ = &child("res", glorot_linear(o.in_channels, out_dim(), Bias::no));
}

Var Gatv2::forward(const GraphInput& in) {
  require_graph_input("gatv2", in, o_.in_channels, o_.edge_dim.value_or(0));
  Tape& tape = in.x.tape();
  const Var source = lin_l_.forward(in.x);  // [N, H*C]
  DynamicAttentionInput attention{.graph = in.graph,
                                  .loops = o_.add_self_loops ? Loops::one_each : Loops::as_given,
                                  .source = source,
                                  .target = lin_r_ != nullptr ? lin_r_->forward(in.x) : source,
                                  .att = tape.parameter(att_),
                                  .negative_slope = o_.negative_slope,
                                  .dropout = o_.dropout};
  if (lin_edge_ != nullptr) {
    attention.edge_weight = tape.parameter(lin_edge_->weight());
    attention.edge_attr = reshape(in.edge_attr, {in.graph.num_edges(), *o_.edge_dim});
    if (o_.add_self_loops) {
      attention.loop_attr = loop_attributes(in.graph, attention.edge_attr, loop_rule(o_.fill_value));
    }
  }
  Var y = dynamic_attention(attention);
  if (!o_.concat) y = average_heads(y, o_.heads);
  if (res_ != nullptr) y = add(y, res_->forward(in.x));
  return bias_ != nullptr ? add_row(y, tape.parameter(*bias_)) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
