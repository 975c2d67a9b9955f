#include "tarn/pooling/readouts/weighted_mean.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"

namespace tarn {

namespace {

Var normalized(Var y, const WeightedMeanOptions& o) {
  return o.normalize ? normalize_rows(y, 1e-12, NormGuard::maximum) : y;
}

}  // namespace

inline namespace TARN_PRECISION {

Var share_mean(Var x, Var weight, const Segments& sets) {
  return segment_pool(reshape(weight, {x.rows(), 1}), {&x, 1}, sets, {.weighing = Weighing::share}).y;
}

Pooled WeightedMean::pool(const SetInput& in) {
  return {normalized(share_mean(in.x, in.weight, in.sets), o_)};
}

Pooled PositionWeightedMean::pool(const SetInput& in) {
  Tape& tape = in.x.tape();
  const MatrixView places = tape.allocate({in.x.rows()});
  for (Size b = 0; b < in.sets.count(); ++b) {
    const Rows rows = in.sets.rows(b);
    for (Size i = rows.begin; i < rows.end; ++i) places.data[i] = static_cast<Real>(i - rows.begin + 1);
  }
  const Var weight = tape.input(places, {in.x.rows()});
  return {normalized(share_mean(in.x, weight, in.sets), o_)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
