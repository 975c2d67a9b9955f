#include "tarn/graph/convolutions/gcn.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/graph/ops/aggregate.hpp"
#include "tarn/graph/ops/edge_data.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

Gcn::Gcn(const Options& o)
    : o_(o),
      lin_(child("lin", std::make_unique<Linear>(o.in_channels, o.out_channels, Bias::no,
                                                 glorot(o.out_channels, o.in_channels)))) {
  check_options(o, "gcn");
  if (o.add_self_loops.value_or(false) && !o.normalize) {
    throw ConfigError("gcn.add_self_loops: got true with normalize false; expected false or null");
  }
  if (o.bias) bias_ = &parameter("bias", {o.out_channels}, constant(0));
}

Var Gcn::forward(const GraphInput& in) {
  require_graph_input("gcn", in, o_.in_channels, -1);
  Tape& tape = in.x.tape();
  const Var z = lin_.forward(in.x);  // [N, out]
  Var y;
  if (o_.normalize) {
    const GcnWeights w =
        gcn_weights(tape, in.graph, in.edge_attr, o_.add_self_loops.value_or(true), o_.improved ? 2 : 1);
    y = edge_sum({.graph = in.graph, .x = z, .weights = w.edges, .loop_weights = w.loops, .roots = w.roots});
  } else {
    y = edge_sum({.graph = in.graph, .x = z, .weights = in.edge_attr});
  }
  return bias_ != nullptr ? add_row(y, tape.parameter(*bias_)) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
