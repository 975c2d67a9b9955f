#include "tarn/pooling/normalisers/normaliser.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn {

namespace {

/// Throws for the first score that is plus infinity or NaN.
void require_scores(const std::string& where, const NormaliserInput& in) {
  const ConstMatrixView s = in.scores.value();
  for (Size i = 0; i < s.rows; ++i) {
    for (Size j = 0; j < s.cols; ++j) {
      if (std::isfinite(s(i, j)) || s(i, j) < 0) continue;
      throw ValueError(
          fmt::format("{}: the score of set {}, row {}, column {} is {}; expected a finite number "
                      "or minus infinity",
                      where, in.sets.owner(i), i, j, s(i, j)));
    }
  }
}

}  // namespace

bool checks_scores_by_default() {
#ifdef __OPTIMIZE__
  return false;
#else
  return true;
#endif
}

inline namespace TARN_PRECISION {

Var Normaliser::forward(const NormaliserInput& in) const {
  if (in.scores.shape().rank() != 2)
    throw ShapeError(fmt::format("{}: scores are {}; expected [N, H]", name_, in.scores.shape().text()));
  in.sets.require_cover(name_, in.scores.rows());
  if (in.noise.given()) {
    if (!takes_noise()) throw ValueError(fmt::format("{}: got noise; expected none", name_));
    if (in.noise.shape() != in.scores.shape()) {
      throw ShapeError(fmt::format("{}: noise is {}; expected {}, as the scores", name_,
                                   in.noise.shape().text(), in.scores.shape().text()));
    }
  }
  if (check_finite_) require_scores(name_, in);
  return weigh(in);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
