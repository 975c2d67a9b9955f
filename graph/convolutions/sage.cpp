#include "tarn/graph/convolutions/sage.hpp"

#include "tarn/core/ops/elementwise.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

Sage::Sage(const Options& o)
    : o_(o),
      lin_l_(child("lin_l",
                   std::make_unique<Linear>(o.in_channels, o.out_channels, o.bias ? Bias::yes : Bias::no))) {
  check_options(o, "sage");
  if (o.root_weight) {
    lin_r_ = &child("lin_r", std::make_unique<Linear>(o.in_channels, o.out_channels, Bias::no));
  }
  if (o.project) lin_ = &child("lin", std::make_unique<Linear>(o.in_channels, o.in_channels));
}

Var Sage::forward(const GraphInput& in) {
  require_graph_input("sage", in, o_.in_channels, 0);
  const Var p = lin_ != nullptr ? lin_->forward(in.x, Activation::relu) : in.x;
  Var y = lin_l_.forward(aggregate(in.graph, p, o_.aggr));
  if (lin_r_ != nullptr) y = add(y, lin_r_->forward(in.x));
  return o_.normalize ? normalize_rows(y, 1e-12, NormGuard::maximum) : y;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
