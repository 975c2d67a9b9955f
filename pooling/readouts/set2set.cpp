#include "tarn/pooling/readouts/set2set.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"

#include <array>

namespace tarn {
inline namespace TARN_PRECISION {

Set2Set::Set2Set(const Options& o)
    : Readout("set2set", o),
      steps_(required_option("set2set", "processing_steps", o.processing_steps)),
      lstm_(child("lstm", std::make_unique<RecurrentStack>(Cell::lstm, 2 * o.in_channels, o.in_channels,
                                                           o.num_layers, Directions::one))) {}

Pooled Set2Set::pool(const SetInput& in) {
  const Size sets = in.sets.count(), width = in.x.cols();
  std::vector<RecurrentStack::State> states = lstm_.zeros(in.x.tape(), sets);
  std::array<Var, 2> read{states.back().h, states.back().h};  // [q, r], both [B, D]
  for (Size step = 0; step < steps_; ++step) {
    const Var q = lstm_.step(read, states);
    read = {q, segment_query_pool(in.x, reshape(concat_columns({&q, 1}), {sets, 1, width}), in.sets).y};
  }
  return {concat_columns(read)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
