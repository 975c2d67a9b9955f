#include "tarn/pooling/readouts/softmax.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment_feature_pool.hpp"
#include "tarn/pooling/readouts/power_mean.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

SoftmaxReadout::SoftmaxReadout(const Options& o) : Readout("softmax", o), o_(o) {
  require_channels(name(), o.channels, o.learn, o.in_channels);
  if (o.learn && o.semi_grad)
    throw ConfigError("softmax.semi_grad: got true with learn true; expected one of them");
  if (o.learn) t_ = &parameter("t", {o.channels}, constant(o.t));
}

Pooled SoftmaxReadout::pool(const SetInput& in) {
  return {segment_feature_softmax(in.x, in.x.tape().parameter(t_), o_.t, in.sets,
                                  o_.semi_grad ? SemiGrad::yes : SemiGrad::no)};
}

AttSets::AttSets(const Options& o)
    : Readout("attsets", o),
      o_(o),
      fc_(child("fc", std::make_unique<Linear>(o.in_channels, o.out_elements * o.in_channels, Bias::yes,
                                               glorot(o.out_elements * o.in_channels, o.in_channels),
                                               constant(0)))) {}

Pooled AttSets::pool(const SetInput& in) {
  return {segment_feature_pool(fc_.forward(in.x, o_.act), in.x, in.sets)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
