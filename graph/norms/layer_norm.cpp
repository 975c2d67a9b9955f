#include "tarn/graph/norms/layer_norm.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/layer_norm.hpp"
#include "tarn/core/ops/set_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

NodeLayerNorm::NodeLayerNorm(const Options& o) : Norm("layer-norm", o.channels), o_(o) {
  check_options(o, name());
  if (!o.affine) return;
  weight_ = &parameter("weight", {o.channels}, constant(1));
  bias_ = &parameter("bias", {o.channels}, constant(0));
}

Var NodeLayerNorm::normalize(Var x, const Segments& sets, Activation activation) {
  Tape& tape = x.tape();
  const Var weight = tape.parameter(weight_), bias = tape.parameter(bias_);
  if (o_.mode == LayerNormMode::node) return activate(layer_norm(x, weight, bias, o_.eps), activation);
  return normalize_sets(
      x, sets,
      {.weight = weight, .bias = bias, .eps = o_.eps, .over = NormOver::set, .activation = activation});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
