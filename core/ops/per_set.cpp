#include "tarn/core/ops/per_set.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/set_chunks.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

void require_rows(const char* where, const Segments& sets, Var rows) {
  if (rows.rows() == sets.count()) return;
  throw ShapeError(fmt::format("{}: rows have shape {} for {} sets; expected one row per set", where,
                               rows.shape().text(), sets.count()));
}

/// Adds the sum of dy over each set to the gradient of the set's row.
void add_set_sums(Tape& tape, ConstMatrixView dy, const Segments& sets, Var rows) {
  const SetChunks chunks(tape, sets);
  const auto sums = chunks.sums(tape, dy.cols, [&](const SetChunk& chunk, double* into) {
    for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i) {
      const Real* row = dy.row(i);
      for (Size j = 0; j < dy.cols; ++j) into[j] += static_cast<double>(row[j]);
    }
  });
  const MatrixView into = tape.grad(rows);
  for (Size b = 0; b < sets.count(); ++b) {
    if (sets.size(b) == 0) continue;
    const double* total = sums.data() + chunks.of(b).begin * dy.cols;
    for (Size j = 0; j < dy.cols; ++j) into(b, j) += static_cast<Real>(total[j]);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var add_per_set(Var x, Var rows, const Segments& sets) {
  sets.require_cover("add_per_set", x.rows());
  require_rows("add_per_set", sets, rows);
  if (rows.cols() != x.cols()) {
    throw ShapeError(fmt::format("add_per_set: x has shape {}, rows {}; expected the same width",
                                 x.shape().text(), rows.shape().text()));
  }
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value(), added = rows.value();
  const MatrixView y = tape.allocate(x.shape());
  SetChunks(tape, sets).for_each([&](Size, const SetChunk& chunk) {
    const Real* extra = added.row(chunk.set);
    for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i) {
      const Real* row = in.row(i);
      Real* out = y.row(i);
      for (Size j = 0; j < in.cols; ++j) out[j] = row[j] + extra[j];
    }
  });
  return tape.record("add_per_set", x.shape(), y, {x, rows}, [=, &tape](ConstMatrixView dy) {
    if (rows.needs_grad()) add_set_sums(tape, dy, sets, rows);
    if (x.needs_grad()) pass_gradient(dy, tape.sink(x));
  });
}

Var spread_over_sets(Var rows, const Segments& sets) {
  require_rows("spread_over_sets", sets, rows);
  Tape& tape = rows.tape();
  const ConstMatrixView in = rows.value();
  const Shape shape{sets.num_rows(), in.cols};
  const MatrixView y = tape.allocate(shape);
  SetChunks(tape, sets).for_each([&](Size, const SetChunk& chunk) {
    for (Size i = chunk.rows.begin; i < chunk.rows.end; ++i)
      std::copy_n(in.row(chunk.set), in.cols, y.row(i));
  });
  return tape.record("spread_over_sets", shape, y, {rows},
                     [=, &tape](ConstMatrixView dy) { add_set_sums(tape, dy, sets, rows); });
}

Var append_zero_rows(Var x, const Segments& sets) {
  sets.require_cover("append_zero_rows", x.rows());
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{in.rows + sets.count(), in.cols};
  const MatrixView y = tape.allocate(shape);
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    for (Size i = rows.begin; i < rows.end; ++i) std::copy_n(in.row(i), in.cols, y.row(i + b));
    std::fill_n(y.row(rows.end + b), in.cols, Real{0});
  }
  return tape.record("append_zero_rows", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for (Size b = 0; b < sets.count(); ++b) {
      const Rows rows = sets.rows(b);
      for (Size i = rows.begin; i < rows.end; ++i) add_scaled(1, dy.row(i + b), dx.row(i), dx.cols);
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
