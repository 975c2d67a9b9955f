#include "tarn/core/ops/gather.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// f(row) for every row, in parallel.
template <class F>
void for_rows(Size rows, F f) {
  for_blocks(rows, 256, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var gather_rows(Var x, std::span<const NodeId> rows) {
  Tape& tape = x.tape();
  const auto count = static_cast<Size>(rows.size());
  const auto from = tape.allocate_array<NodeId>(count);
  std::copy(rows.begin(), rows.end(), from.begin());
  const ConstMatrixView in = x.value();
  const Shape shape{count, in.cols};
  const MatrixView y = tape.allocate(shape);
  for_rows(count, [&](Size r) { std::copy_n(in.row(from[static_cast<std::size_t>(r)]), in.cols, y.row(r)); });
  return tape.record("gather_rows", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_rows(dy.rows, [&](Size r) {
      Real* const to = dx.row(from[static_cast<std::size_t>(r)]);
      for (Size j = 0; j < dy.cols; ++j) to[j] += dy(r, j);
    });
  });
}

Var concat_rows(std::span<const Var> blocks) {
  Tape& tape = blocks[0].tape();
  Size rows = 0;
  for (const Var& v : blocks) {
    if (v.cols() != blocks[0].cols()) {
      throw ShapeError(fmt::format("concat_rows: blocks have widths {} and {}; expected the same",
                                   blocks[0].cols(), v.cols()));
    }
    rows += v.rows();
  }
  const Shape shape{rows, blocks[0].cols()};
  const MatrixView y = tape.allocate(shape);
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()));
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  Size at = 0;
  for (const Var& v : inputs) {
    pass_gradient(v.value(), {y.row_block(at, at + v.rows()), Write::assign});
    at += v.rows();
  }
  return tape.record("concat_rows", shape, y, std::span<const Var>(inputs), [=, &tape](ConstMatrixView dy) {
    Size first = 0;
    for (const Var& v : inputs) {
      if (v.needs_grad()) pass_gradient(dy.row_block(first, first + v.rows()), tape.sink(v));
      first += v.rows();
    }
  });
}

Var repeat_rows(Var x, Size count) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{in.rows * count, in.cols};
  const MatrixView y = tape.allocate(shape);
  for_rows(y.rows, [&](Size r) { std::copy_n(in.row(r / count), in.cols, y.row(r)); });
  return tape.record("repeat_rows", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_rows(dx.rows, [&](Size i) {
      std::vector<double> sum(static_cast<std::size_t>(dy.cols), 0.0);
      for (Size r = i * count; r < (i + 1) * count; ++r) {
        for (Size j = 0; j < dy.cols; ++j) sum[static_cast<std::size_t>(j)] += static_cast<double>(dy(r, j));
      }
      for (Size j = 0; j < dy.cols; ++j) dx(i, j) += static_cast<Real>(sum[static_cast<std::size_t>(j)]);
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
