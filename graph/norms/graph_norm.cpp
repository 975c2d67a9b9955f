#include "tarn/graph/norms/graph_norm.hpp"

#include "tarn/core/ops/set_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

GraphNorm::GraphNorm(const Options& o)
    : Norm("graph-norm", o.channels),
      weight_(parameter("weight", {o.channels}, constant(1))),
      bias_(parameter("bias", {o.channels}, constant(0))),
      mean_scale_(parameter("mean_scale", {o.channels}, constant(1))),
      eps_(o.eps) {
  check_options(o, name());
}

Var GraphNorm::normalize(Var x, const Segments& sets, Activation activation) {
  Tape& tape = x.tape();
  return normalize_sets(x, sets,
                        {.weight = tape.parameter(weight_),
                         .bias = tape.parameter(bias_),
                         .mean_scale = tape.parameter(mean_scale_),
                         .eps = eps_,
                         .activation = activation});
}

}  // namespace TARN_PRECISION
}  // namespace tarn
