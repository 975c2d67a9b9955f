#include "tarn/core/ops/slice.hpp"

#include <cassert>

namespace tarn {

namespace {

/// A block of a value, whose gradient is added to that block of the value's gradient.
template <class Block>
Var slice(const char* name, Var x, Block block) {
  Tape& tape = x.tape();
  const ConstMatrixView y = block(x.value());
  return tape.record(name, {y.rows, y.cols}, y, {x}, [=, &tape](ConstMatrixView dy) {
    pass_gradient(dy, {block(tape.grad(x)), Write::add});
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var slice_rows(Var x, Size begin, Size end) {
  assert(0 <= begin && begin <= end && end <= x.rows());
  if (begin == 0 && end == x.rows() && x.shape().rank() == 2) return x;
  return slice("slice_rows", x, [=](auto m) { return m.row_block(begin, end); });
}

Var slice_columns(Var x, Size begin, Size end) {
  assert(0 <= begin && begin <= end && end <= x.cols());
  if (begin == 0 && end == x.cols() && x.shape().rank() == 2) return x;
  return slice("slice_columns", x, [=](auto m) { return m.column_block(begin, end); });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
