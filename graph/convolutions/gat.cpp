#include "tarn/graph/convolutions/gat.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/ops/attention.hpp"
#include "tarn/graph/ops/edge_data.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

Gat::Gat(const Options& o)
    : o_(o),
      lin_(child("lin", std::make_unique<Linear>(o.in_channels, o.heads * o.out_channels, Bias::no,
                                                 glorot(o.heads * o.out_channels, o.in_channels)))),
      att_src_(parameter("att_src", {1, o.heads, o.out_channels}, glorot(o.heads, o.out_channels))),
      att_dst_(parameter("att_dst", {1, o.heads, o.out_channels}, glorot(o.heads, o.out_channels))) {
  const Size width = o.heads * o.out_channels;
  if (o.edge_dim) {
    lin_edge_ = &child("lin_edge",
                       std::make_unique<Linear>(*o.edge_dim, width, Bias::no, glorot(width, *o.edge_dim)));
    att_edge_ = &parameter("att_edge", {1, o.heads, o.out_channels}, glorot(o.heads, o.out_channels));
  }
  if (o.bias) bias_ = &parameter("bias", {out_dim()}, constant(0));
  if (o.residual) {
    res_ = &child("res", std::make_unique<Linear>(o.in_channels, out_dim(), Bias::no,
                                                  glorot(out_dim(), o.in_channels)));
  }
  check_options(o, "gat");
}

Var Gat::forward(const GraphInput& in) {
  require_graph_input("gat", in, o_.in_channels, o_.edge_dim.value_or(0));
  Tape& tape = in.x.tape();
  const Var z = lin_.forward(in.x);  // [N, H*C]
  EdgeAttentionInput attention{.graph = in.graph,
                               .loops = o_.add_self_loops ? Loops::one_each : Loops::as_given,
                               .values = z,
                               .source = head_dot(z, tape.parameter(att_src_)),
                               .target = head_dot(z, tape.parameter(att_dst_)),
                               .negative_slope = o_.negative_slope,
                               .dropout = o_.dropout};
  if (lin_edge_ != nullptr) {
    // <att_edge, lin_edge(a)> is linear in a: contract the two once instead of mapping every edge.
    const Var weight = tape.parameter(lin_edge_->weight());                    // [H*C, F]
    const Var score_map = contract_heads(weight, tape.parameter(*att_edge_));  // [H, F]
    const Var attr = reshape(in.edge_attr, {in.graph.num_edges(), *o_.edge_dim});
    attention.edge_scores = linear(attr, score_map);  // [E, H]
    if (o_.add_self_loops) {
      attention.loop_scores =
          linear(loop_attributes(in.graph, attr, loop_rule(o_.fill_value)), score_map);  // [N, H]
    }
  }
  Var y = edge_attention(attention);
  if (!o_.concat) y = average_heads(y, o_.heads);
  if (res_ != nullptr) y = add(y, res_->forward(in.x));
  return bias_ != nullptr ? add_row(y, tape.parameter(*bias_)) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
