#include "tarn/pooling/readouts/deep_sets.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/set_linear.hpp"

#include <fmt/format.h>

namespace tarn {
inline namespace TARN_PRECISION {

DeepSets::DeepSets(const Options& o)
    : Readout("deep-sets", o),
      o_(o),
      local_(child("local_nn", std::make_unique<Mlp>(o.in_channels, o.local_channels, o))),
      global_(child("global_nn", std::make_unique<Mlp>(local_.out_dim(), o.global_channels, o))) {}

Pooled DeepSets::pool(const SetInput& in) {
  const Reduce how = o_.aggr == PlainReduce::sum    ? Reduce::sum
                     : o_.aggr == PlainReduce::mean ? Reduce::mean
                                                    : Reduce::max;
  return {global_.forward(segment_reduce(local_.forward(in.x), in.sets, how))};
}

MlpReadout::MlpReadout(const Options& o)
    : Readout("mlp", o),
      o_(o),
      most_(required_option("mlp", "max_num_elements", o.max_num_elements)),
      mlp_(child("mlp", std::make_unique<Mlp>(most_ * o.in_channels, o.channels, o))) {
  if (o.channels.empty()) throw ConfigError("mlp.channels: got []; expected at least one width");
}

Pooled MlpReadout::pool(const SetInput& in) {
  for (Size b = 0; !o_.truncate && b < in.sets.count(); ++b) {
    if (in.sets.size(b) <= most_) continue;
    throw ValueError(
        fmt::format("mlp: set {} has {} rows; expected at most {} (max_num_elements), or truncate", b,
                    in.sets.size(b), most_));
  }
  Tape& tape = in.x.tape();
  Linear& first = mlp_.first();
  const Var h = set_linear(in.x, in.sets, tape.parameter(first.weight()), tape.parameter(first.bias()),
                           mlp_.first_activation());
  return {mlp_.forward_behind_first(h)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
