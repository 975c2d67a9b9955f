#include "tarn/pooling/layer_pools/scalar_mix.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/mix.hpp"
#include "tarn/pooling/layer_pools/layer_weights.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// softmax of L numbers.
Var softmax(Var scalars) {
  Tape& tape = scalars.tape();
  const Size count = scalars.shape().count();
  const LayerWeights rule(LayerNormalization::softmax, 1);
  const auto c = tape.allocate_array<double>(count), a = tape.allocate_array<double>(count);
  std::copy_n(scalars.value().data, count, c.begin());
  rule.normalize(c, a);
  const MatrixView y = tape.allocate(scalars.shape());
  std::transform(a.begin(), a.end(), y.data, [](double v) { return static_cast<Real>(v); });
  return tape.record("softmax", scalars.shape(), y, {scalars}, [=, &tape](ConstMatrixView dy) {
    std::vector<double> g(dy.data, dy.data + count);
    rule.gradient(c, a, g, g);
    const MatrixView into = tape.grad(scalars);
    for (std::size_t l = 0; l < g.size(); ++l) into.data[l] += static_cast<Real>(g[l]);
  });
}

}  // namespace

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
  Var w = tape.parameter(scalar_);
  if (o_.normalization == ScalarNormalization::softmax) w = softmax(w);
  w = multiply_by(reshape(w, {o_.layers, 1}), reshape(tape.parameter(gamma_), {1, 1}));  // [L, 1]
  std::vector<Var> layers(in.layers.begin(), in.layers.end());
  for (Var& x : layers) {
    if (o_.layer_norm) x = layer_norm(x, {}, {}, o_.norm_eps);
  }
  return {mix(layers, w)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
