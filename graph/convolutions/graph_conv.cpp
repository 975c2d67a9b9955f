#include "tarn/graph/convolutions/graph_conv.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/ops/aggregate.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

GraphConv::GraphConv(const Options& o)
    : o_(o),
      lin_rel_(child("lin_rel",
                     std::make_unique<Linear>(o.in_channels, o.out_channels, o.bias ? Bias::yes : Bias::no))),
      lin_root_(child("lin_root", std::make_unique<Linear>(o.in_channels, o.out_channels, Bias::no))) {
  check_options(o, "graph-conv");
}

Var GraphConv::forward(const GraphInput& in) {
  require_graph_input("graph-conv", in, o_.in_channels, -1);
  const Aggregate how = o_.aggr == "max"    ? Aggregate::max
                        : o_.aggr == "mean" ? Aggregate::mean
                                            : Aggregate::sum;
  return add(lin_rel_.forward(aggregate(in.graph, in.x, how, in.edge_attr)), lin_root_.forward(in.x));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
