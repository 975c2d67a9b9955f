#include "tarn/graph/norms/graph_size_norm.hpp"

#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/set_chunks.hpp"

#include <cmath>

namespace tarn {

namespace {

/// to (+)= from / sqrt(n).
void divide_by_root(Tape& tape, ConstMatrixView from, const Segments& sets, GradSink to) {
  SetChunks(tape, sets).for_each([&](Size, const SetChunk& chunk) {
    const Real factor = static_cast<Real>(1 / std::sqrt(static_cast<double>(sets.size(chunk.set))));
    for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i) {
      const Real* in = from.row(i);
      Real* out = to.view.row(i);
      if (to.write == Write::assign) {
        for (Size j = 0; j < from.cols; ++j) out[j] = factor * in[j];
      } else {
        for (Size j = 0; j < from.cols; ++j) out[j] += factor * in[j];
      }
    }
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var GraphSizeNorm::normalize(Var x, const Segments& sets, Activation activation) {
  Tape& tape = x.tape();
  const MatrixView y = tape.allocate(x.shape());
  divide_by_root(tape, x.value(), sets, {y, Write::assign});
  const Var scaled = tape.record("graph_size_norm", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    divide_by_root(tape, dy, sets, tape.sink(x));
  });
  return activate(scaled, activation);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
