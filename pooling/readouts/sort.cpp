#include "tarn/pooling/readouts/sort.hpp"

#include "tarn/core/ops/segment_select.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

Pooled Sort::pool(const SetInput& in) {
  Tape& tape = in.x.tape();
  const ConstMatrixView x = in.x.value();
  const auto keys = tape.allocate_array<Real>(x.rows);
  for (Size i = 0; i < x.rows; ++i) keys[static_cast<std::size_t>(i)] = x(i, x.cols - 1);
  return {segment_pick(in.x, in.sets, segment_top_rows(tape, keys, in.sets, k_), k_, 1)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
