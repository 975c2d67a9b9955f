#include "tarn/pooling/layer_pools/layer_shares.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/linear.hpp"
#include "tarn/pooling/layer_pools/layer_weights.hpp"

#include <algorithm>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

Var layer_softmax(Var scalars) {
  Tape& tape = scalars.tape();
  const Size count = scalars.shape().count();
  const LayerWeights rule(LayerNormalization::softmax, 1);
  const auto c = tape.allocate_array<double>(count), a = tape.allocate_array<double>(count);
  std::copy_n(scalars.value().data, count, c.begin());
  rule.normalize(c, a);
  const MatrixView y = tape.allocate(scalars.shape());
  std::transform(a.begin(), a.end(), y.data, [](double v) { return static_cast<Real>(v); });
  return tape.record("layer_softmax", scalars.shape(), y, {scalars}, [=, &tape](ConstMatrixView dy) {
    std::vector<double> g(dy.data, dy.data + count);
    rule.gradient(c, a, g, g);
    const MatrixView into = tape.grad(scalars);
    for (std::size_t l = 0; l < g.size(); ++l) into.data[l] += static_cast<Real>(g[l]);
  });
}

Var scaled_shares(Var shares, Var gamma) {
  return multiply_by(reshape(shares, {shares.shape().count(), 1}), reshape(gamma, {1, 1}));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
