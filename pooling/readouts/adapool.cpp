#include "tarn/pooling/readouts/adapool.hpp"

#include "tarn/core/ops/segment_pool.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

AdaPool::AdaPool(const Options& o)
    : Readout("adapool", o),
      score_layer_(child("score_layer", std::make_unique<Chain>(
                                            std::initializer_list<Size>{o.in_channels, o.hidden_channels, 1},
                                            ChainNorm::none, Activation::tanh))) {}

Pooled AdaPool::pool(const SetInput& in) {
  const Var scores = score_layer_.forward(in.x, name().c_str());  // [N, 1]
  const auto [y, weights] = segment_pool(scores, {&in.x, 1}, in.sets);
  return {y, weights};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
