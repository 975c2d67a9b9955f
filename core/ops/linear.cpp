#include "tarn/core/ops/linear.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/reduce_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;
/// Sums of so few terms are taken in double: the pass is bound by its output anyway, and the layers that
/// standardise what comes out magnify its rounding.
constexpr Size few_terms = 16;

/// weight [out, D] turned to [D, out], in double.
std::span<const double> turned(Tape& tape, ConstMatrixView weight) {
  const auto result = tape.allocate_array<double>(weight.size());
  for (Size o = 0; o < weight.rows; ++o) {
    for (Size c = 0; c < weight.cols; ++c) {
      result[static_cast<std::size_t>(c * weight.rows + o)] = static_cast<double>(weight(o, c));
    }
  }
  return result;
}

/// y = x W^T for rows of few columns, each sum in double and rounded once.
void multiply_few(ConstMatrixView x, const double* turned_weight, MatrixView y) {
  constexpr Size width = 64;
  for (Size first = 0; first < y.cols; first += width) {
    const Size count = std::min(width, y.cols - first);
    for (Size i = 0; i < y.rows; ++i) {
      double sum[width] = {};
      for (Size c = 0; c < x.cols; ++c) {
        const auto factor = static_cast<double>(x(i, c));
        const double* __restrict w = turned_weight + c * y.cols + first;
        for (Size o = 0; o < count; ++o) sum[o] += factor * w[o];
      }
      for (Size o = 0; o < count; ++o) y(i, first + o) = static_cast<Real>(sum[o]);
    }
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

/// The products of a linear map with what it reads; all on the tape.
struct Product {
  std::span<const Var> inputs;  // blocks, weight, bias
  ProductPrecision precision;
  [[nodiscard]] std::span<const Var> blocks() const { return inputs.first(inputs.size() - 2); }
  [[nodiscard]] Var weight() const { return inputs[inputs.size() - 2]; }
  [[nodiscard]] Var bias() const { return inputs.back(); }
};

Product product_of(Tape& tape, std::span<const Var> blocks, Var weight, Var bias) {
  check_linear(blocks, weight, bias);
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()) + 2);
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  inputs[blocks.size()] = weight;
  inputs[blocks.size() + 1] = bias;
  return {inputs, tape.pass().products};
}

/// into = [x_1, x_2, ...] W^T + b, and finish(row) for every row while its block is in cache.
template <class Finish>
void multiply_and_finish(const Product& p, MatrixView into, Finish finish) {
  const Var bias = p.bias();
  const bool few = p.blocks().size() == 1 && p.weight().cols() <= few_terms;
  const auto in_double = few ? turned(p.weight().tape(), p.weight().value()) : std::span<const double>();
  const Real* const b = bias.given() ? bias.value().data : nullptr;
  for_blocks(into.rows, rows_per_block, [&](Size begin, Size end) {
    const MatrixView block = into.row_block(begin, end);
    if (few) multiply_few(p.blocks()[0].value().row_block(begin, end), in_double.data(), block);
    Size column = 0;
    for (const Var& v : few ? std::span<const Var>() : p.blocks()) {
      const ConstMatrixView x = v.value();
      const ConstMatrixView w = p.weight().value().column_block(column, column + x.cols);
      multiply_serial(x.row_block(begin, end), Transpose::no, w, Transpose::yes, block,
                      column == 0 ? Write::assign : Write::add, p.precision);
      column += x.cols;
    }
    for (Size i = begin; i < end; ++i) {
      Real* const row = into.row(i);
      for (Size j = 0; b != nullptr && j < into.cols; ++j) row[j] += b[j];
      finish(i);
    }
  });
}

/// Gradients of the blocks, the weight and the bias from d, the gradient of the product.
void add_product_gradients(Tape& tape, const Product& p, ConstMatrixView d) {
  const Var weight = p.weight(), bias = p.bias();
  const GradSink dw = weight.needs_grad() ? tape.sink(weight) : GradSink{};
  Size column = 0;
  for (const Var& x : p.blocks()) {
    const Size end = column + x.cols();
    if (weight.needs_grad())
      multiply(d, Transpose::yes, x.value(), Transpose::no, dw.view.column_block(column, end), dw.write,
               p.precision);
    if (x.needs_grad()) {
      const GradSink dx = tape.sink(x);
      multiply(d, Transpose::no, weight.value().column_block(column, end), Transpose::no, dx.view, dx.write,
               p.precision);
    }
    column = end;
  }
  if (bias.given() && bias.needs_grad()) add_column_sums(tape, d, tape.sink(bias));
}

/// f(row) for every row, in parallel.
template <class F>
void for_rows(Size rows, F f) {
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var linear(std::span<const Var> blocks, Var weight, Var bias, Activation activation) {
  Tape& tape = weight.tape();
  const Product p = product_of(tape, blocks, weight, bias);
  const Shape shape{blocks[0].rows(), weight.rows()};
  const MatrixView y = tape.allocate(shape);
  const MatrixView before = keeps_input(activation) ? tape.allocate(shape) : y;  // the activation
  multiply_and_finish(p, before, [&](Size i) { activate_run(activation, before.row(i), y.row(i), y.cols); });
  return tape.record("linear", shape, y, p.inputs, [=, &tape](ConstMatrixView dy) {
    if (activation == Activation::none) return add_product_gradients(tape, p, dy);
    const MatrixView d = tape.allocate(shape);
    for_rows(y.rows, [&](Size i) {
      activation_gradient(activation, dy.row(i), before.row(i), y.row(i), d.row(i), y.cols);
    });
    add_product_gradients(tape, p, d);
  });
}

Var linear_gated_gelu(Var x, Var weight, Var bias) {
  Tape& tape = weight.tape();
  const Product p = product_of(tape, {&x, 1}, weight, bias);
  const Size out = weight.rows() / 2;
  if (weight.rows() % 2 != 0) {
    throw ShapeError(fmt::format("linear_gated_gelu: weight has shape {}; expected an even number of rows",
                                 weight.shape().text()));
  }
  const Shape shape{x.rows(), out};
  const MatrixView y = tape.allocate(shape), halves = tape.allocate({x.rows(), 2 * out});
  multiply_and_finish(p, halves,
                      [&](Size i) { gated_gelu_run(halves.row(i), halves.row(i) + out, y.row(i), out); });
  return tape.record("linear_gated_gelu", shape, y, p.inputs, [=, &tape](ConstMatrixView dy) {
    const MatrixView d = tape.allocate({y.rows, 2 * out});
    for_rows(y.rows, [&](Size i) {
      gated_gelu_gradient(dy.row(i), halves.row(i), halves.row(i) + out, d.row(i), d.row(i) + out, out);
    });
    add_product_gradients(tape, p, d);
  });
}

Var multiply_by(Var x, Var matrix) {
  if (matrix.shape().rank() != 2 || matrix.rows() != x.cols()) {
    throw ShapeError(
        fmt::format("multiply_by: x has width {} but the matrix has shape {}; expected [{}, out]", x.cols(),
                    matrix.shape().text(), x.cols()));
  }
  Tape& tape = x.tape();
  const Shape shape{x.rows(), matrix.cols()};
  const MatrixView y = tape.allocate(shape);
  multiply(x.value(), Transpose::no, matrix.value(), Transpose::no, y);
  return tape.record("multiply_by", shape, y, {x, matrix}, [=, &tape](ConstMatrixView dy) {
    if (matrix.needs_grad()) {
      const GradSink dm = tape.sink(matrix);
      multiply(x.value(), Transpose::yes, dy, Transpose::no, dm.view, dm.write);
    }
    if (!x.needs_grad()) return;
    const GradSink dx = tape.sink(x);
    multiply(dy, Transpose::no, matrix.value(), Transpose::yes, dx.view, dx.write);
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
