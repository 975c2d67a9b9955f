#include "tarn/graph/convolutions/transformer_conv.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/interpolate.hpp"
#include "tarn/graph/ops/dot_attention.hpp"

#include <array>

namespace tarn {
inline namespace TARN_PRECISION {

Linear& TransformerConv::linear(const char* name, Size out) {
  return child(name, std::make_unique<Linear>(o_.in_channels, out, o_.bias ? Bias::yes : Bias::no));
}

TransformerConv::TransformerConv(const Options& o)
    : o_(o),
      lin_key_(linear("lin_key", o.heads * o.out_channels)),
      lin_query_(linear("lin_query", o.heads * o.out_channels)),
      lin_value_(linear("lin_value", o.heads * o.out_channels)),
      lin_skip_(linear("lin_skip", out_dim())) {
  check_options(o, "transformer-conv");
  if (o.edge_dim) {
    lin_edge_ = &child("lin_edge", std::make_unique<Linear>(*o.edge_dim, o.heads * o.out_channels, Bias::no));
  }
  if (o.beta && o.root_weight) {
    lin_beta_ = &child("lin_beta", std::make_unique<Linear>(3 * out_dim(), 1, Bias::no));
  }
}

Var TransformerConv::gate(Var o, Var r) {
  const std::array<Var, 3> seen{o, r, add(o, r, -1)};
  return interpolate(lin_beta_->forward(seen), r, o);
}

Var TransformerConv::forward(const GraphInput& in) {
  require_graph_input("transformer-conv", in, o_.in_channels, o_.edge_dim.value_or(0));
  DotAttentionInput attention{.graph = in.graph,
                              .query = lin_query_.forward(in.x),
                              .key = lin_key_.forward(in.x),
                              .value = lin_value_.forward(in.x),
                              .heads = o_.heads,
                              .dropout = o_.dropout};
  if (lin_edge_ != nullptr) {
    attention.edge_attr = reshape(in.edge_attr, {in.graph.num_edges(), *o_.edge_dim});
    attention.edge_weight = in.x.tape().parameter(lin_edge_->weight());
  }
  Var o = dot_attention(attention);
  if (!o_.concat) o = average_heads(o, o_.heads);
  if (!o_.root_weight) return o;
  const Var r = lin_skip_.forward(in.x);
  return lin_beta_ != nullptr ? gate(o, r) : add(o, r);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
