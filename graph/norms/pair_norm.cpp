#include "tarn/graph/norms/pair_norm.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/set_norm.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

PairNorm::PairNorm(const Options& o) : Norm("pair-norm", 0), o_(o) {
  check_options(o, name());
}

Var PairNorm::normalize(Var x, const Segments& sets, Activation activation) {
  if (!o_.scale_individually) {
    return normalize_sets(
        x, sets, {.scale = o_.scale, .eps = o_.eps, .over = NormOver::lengths, .activation = activation});
  }
  const Var unit = normalize_rows(centre_sets(x, sets), o_.eps, NormGuard::sum);
  return activate(scale(unit, o_.scale), activation);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
