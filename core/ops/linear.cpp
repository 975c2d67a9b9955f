#include "tarn/core/ops/linear.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/reduce_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

/// Adds the bias to a block of rows and applies the activation, row by row while the row is in cache.
void finish_block(MatrixView block, const Real* bias, Activation activation) {
  for (Size i = 0; i < block.rows; ++i) {
    Real* y = block.row(i);
    if (bias != nullptr) {
      for (Size j = 0; j < block.cols; ++j) y[j] += bias[j];
    }
    if (activation == Activation::relu) {
      for (Size j = 0; j < block.cols; ++j) y[j] = y[j] < 0 ? Real{0} : y[j];
    } else if (activation == Activation::tanh) {
      tanh_in_place(y, block.cols);
    }
  }
}

/// d = dy * activation'(y), read off the output.
void activation_backward_row(const Real* dy, const Real* y, Real* d, Size n, Activation activation) {
  if (activation == Activation::relu) {
    for (Size j = 0; j < n; ++j) d[j] = y[j] > 0 ? dy[j] : Real{0};
  } else {
    for (Size j = 0; j < n; ++j) d[j] = dy[j] * (1 - y[j] * y[j]);
  }
}

void check_linear(std::span<const Var> blocks, Var weight, Var bias) {
  Size width = 0;
  for (const Var& x : blocks) {
    width += x.cols();
    if (x.rows() != blocks[0].rows()) {
      throw ShapeError(fmt::format("linear: blocks have {} and {} rows; expected the same number",
                                   blocks[0].rows(), x.rows()));
    }
  }
  if (weight.shape().rank() != 2 || weight.cols() != width) {
    throw ShapeError(fmt::format("linear: x has width {} but weight has shape {}; expected [out, {}]", width,
                                 weight.shape().text(), width));
  }
  if (bias.given() && bias.shape().count() != weight.rows()) {
    throw ShapeError(
        fmt::format("linear: bias has shape {}; expected [{}]", bias.shape().text(), weight.rows()));
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var linear(std::span<const Var> blocks, Var weight, Var bias, Activation activation) {
  check_linear(blocks, weight, bias);
  Tape& tape = weight.tape();
  const Size rows = blocks[0].rows(), out = weight.rows();
  const Shape shape{rows, out};
  const MatrixView y = tape.allocate(shape);
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()) + 2);
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  inputs[blocks.size()] = weight;
  inputs[blocks.size() + 1] = bias;

  const Real* b = bias.given() ? bias.value().data : nullptr;
  const ProductPrecision precision = tape.pass().products;
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    const MatrixView block = y.row_block(begin, end);
    Size column = 0;
    for (std::size_t k = 0; k < blocks.size(); ++k) {
      const ConstMatrixView x = blocks[k].value();
      const ConstMatrixView w = weight.value().column_block(column, column + x.cols);
      multiply_serial(x.row_block(begin, end), Transpose::no, w, Transpose::yes, block,
                      k == 0 ? Write::assign : Write::add, precision);
      column += x.cols;
    }
    finish_block(block, b, activation);
  });

  return tape.record("linear", shape, y, std::span<const Var>(inputs), [=, &tape](ConstMatrixView dy) {
    ConstMatrixView d = dy;  // gradient before the activation
    if (activation != Activation::none) {
      const MatrixView before = tape.allocate(shape);
      for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
        for (Size i = begin; i < end; ++i)
          activation_backward_row(dy.row(i), y.row(i), before.row(i), out, activation);
      });
      d = before;
    }
    const GradSink dw = weight.needs_grad() ? tape.sink(weight) : GradSink{};
    Size column = 0;
    for (const Var& x : inputs.first(inputs.size() - 2)) {
      const Size end = column + x.cols();
      if (weight.needs_grad()) {
        multiply(d, Transpose::yes, x.value(), Transpose::no, dw.view.column_block(column, end), dw.write,
                 precision);
      }
      if (x.needs_grad()) {
        const GradSink dx = tape.sink(x);
        multiply(d, Transpose::no, weight.value().column_block(column, end), Transpose::no, dx.view, dx.write,
                 precision);
      }
      column = end;
    }
    if (bias.given() && bias.needs_grad()) add_column_sums(tape, d, tape.sink(bias));
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
