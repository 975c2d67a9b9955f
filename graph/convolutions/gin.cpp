#include "tarn/graph/convolutions/gin.hpp"

#include "tarn/core/ops/elementwise.hpp"

namespace tarn {

namespace {

std::vector<Size> chain_widths(const GinCommonOptions& o) {
  std::vector<Size> widths{o.in_channels};
  const std::vector<Size> hidden = o.hidden.value_or(std::vector<Size>{o.out_channels});
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(o.out_channels);
  return widths;
}

}  // namespace

void GinCommonOptions::fields(Fields& f) {
  f("in_channels", in_channels, at_least(1), "width of x");
  f("out_channels", out_channels, at_least(1), "width of y");
  f("hidden", hidden, at_least(1), "widths of the hidden layers of nn; null: one as wide as y");
  f("norm", norm, "norm after every hidden layer");
  f("activation", activation, {"relu"}, "activation between the layers");
  f("eps", eps, any_finite(), "weight of the centre beyond 1");
  f("train_eps", train_eps, "learn eps");
}

inline namespace TARN_PRECISION {

GinCore::GinCore(const GinCommonOptions& o)
    : out_channels_(o.out_channels),
      eps_(o.train_eps ? parameter("eps", {1}, constant(o.eps)) : state_tensor("eps", {1}, o.eps)),
      nn_(child("nn",
                std::make_unique<Chain>(
                    chain_widths(o), o.norm == GinNorm::none ? ChainNorm::none : ChainNorm::batch_norm))) {}

Var GinCore::update(Var x, Var aggregated, const char* where) {
  return nn_.forward(add(scale_by_one_plus(x, eps(x.tape())), aggregated), where);
}

Var Gin::forward(const GraphInput& in) {
  require_graph_input("gin", in, o_.in_channels, 0);
  if (o_.aggr == Aggregate::max) return update(in.x, aggregate(in.graph, in.x, o_.aggr), "gin");
  const Var centre = eps(in.x.tape());
  return map(edge_sum({.graph = in.graph, .x = in.x, .centre = centre, .how = o_.aggr}), "gin");
}

Gin::Gin(const Options& o) : GinCore(o), o_(o) {
  check_options(o, "gin");
}

Gine::Gine(const Options& o) : GinCore(o), o_(o) {
  check_options(o, "gine");
  if (!o.edge_dim) return;
  Linear& lin = child("lin", std::make_unique<Linear>(*o.edge_dim, o.in_channels));
  weight_ = &lin.weight();
  bias_ = lin.bias();
}

Var Gine::forward(const GraphInput& in) {
  const Size width = o_.edge_dim.value_or(o_.in_channels);
  require_graph_input("gine", in, o_.in_channels, width);
  Tape& tape = in.x.tape();
  const Var attr = reshape(in.edge_attr, {in.graph.num_edges(), width});
  const Var sum = weight_ != nullptr ? edge_message_sum(in.graph, in.x, attr, tape.parameter(*weight_),
                                                        tape.parameter(*bias_))
                                     : edge_message_sum(in.graph, in.x, attr, {}, {});
  return update(in.x, sum, "gine");
}

}  // namespace TARN_PRECISION
}  // namespace tarn
