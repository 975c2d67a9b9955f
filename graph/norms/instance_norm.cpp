#include "tarn/graph/norms/instance_norm.hpp"

#include "tarn/core/ops/set_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

InstanceNorm::InstanceNorm(const Options& o) : Norm("instance-norm", o.channels), eps_(o.eps) {
  check_options(o, name());
  if (!o.affine) return;
  weight_ = &parameter("weight", {o.channels}, constant(1));
  bias_ = &parameter("bias", {o.channels}, constant(0));
}

Var InstanceNorm::normalize(Var x, const Segments& sets, Activation activation) {
  Tape& tape = x.tape();
  return normalize_sets(x, sets,
                        {.weight = tape.parameter(weight_),
                         .bias = tape.parameter(bias_),
                         .eps = eps_,
                         .activation = activation});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
