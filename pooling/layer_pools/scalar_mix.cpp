#include "tarn/pooling/layer_pools/scalar_mix.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/mix.hpp"
#include "tarn/pooling/layer_pools/layer_shares.hpp"

namespace tarn {

inline namespace TARN_PRECISION {

ScalarMix::ScalarMix(const Options& o)
    : o_(o),
      widths_(o.widths("scalar-mix")),
      scalar_(parameter(
          "scalar", {o.layers},
          constant(o.normalization == ScalarNormalization::softmax ? 0.0
                                                                   : 1 / static_cast<double>(o.layers)))),
      gamma_(parameter("gamma", {1}, constant(1))) {
  check_options(o, "scalar-mix");
  require_equal_widths("scalar-mix", widths_, "");
}

LayerPooled ScalarMix::forward(const HistoryInput& in) {
  require_history("scalar-mix", in, widths_);
  Tape& tape = in.layers[0].tape();
  const Var scalars = tape.parameter(scalar_);
  const Var shares = o_.normalization == ScalarNormalization::softmax ? layer_softmax(scalars) : scalars;
  const Var w = scaled_shares(shares, tape.parameter(gamma_));
  std::vector<Var> layers(in.layers.begin(), in.layers.end());
  for (Var& x : layers) {
    if (o_.layer_norm) x = layer_norm(x, {}, {}, o_.norm_eps);
  }
  return {mix(layers, w)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
