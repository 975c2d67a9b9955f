#include "tarn/pooling/readouts/gated_sum.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

GatedSum::GatedSum(const Options& o)
    : Readout("gated-sum", o),
      o_(o),
      gate_(child("gate", std::make_unique<Linear>(o.in_channels, out_dim(o.in_channels),
                                                   o.bias ? Bias::yes : Bias::no))),
      value_(child("value", std::make_unique<Linear>(o.in_channels, out_dim(o.in_channels),
                                                     o.bias ? Bias::yes : Bias::no))) {}

Pooled GatedSum::pool(const SetInput& in) {
  const Var passed =
      multiply_elements(gate_.forward(in.x, Activation::sigmoid), value_.forward(in.x, o_.act));
  return {activate(segment_reduce(passed, in.sets, Reduce::sum), o_.act)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
