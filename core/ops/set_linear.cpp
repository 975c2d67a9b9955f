#include "tarn/core/ops/set_linear.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/reduce_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// Sets whose rows of one place are multiplied at a time.
constexpr Size sets_per_block = 64;

/// The sets of first .. last-1 that have a row at a place.
void sets_with(const Segments& sets, Size first, Size last, Size place, std::vector<Size>& with) {
  with.clear();
  for (Size b = first; b < last; ++b) {
    if (sets.size(b) > place) with.push_back(b);
  }
}

Size longest(const Segments& sets, Size first, Size last, Size most) {
  Size n = 0;
  for (Size b = first; b < last; ++b) n = std::max(n, sets.size(b));
  return std::min(n, most);
}

/// Rows of a matrix in a list, packed into memory.
template <class RowOf>
MatrixView packed(ConstMatrixView from, const std::vector<Size>& sets, RowOf row, std::vector<Real>& memory) {
  const auto count = static_cast<Size>(sets.size());
  memory.resize(static_cast<std::size_t>(count * from.cols));
  const MatrixView to(memory.data(), count, from.cols);
  for (Size k = 0; k < count; ++k)
    std::copy_n(from.row(row(sets[static_cast<std::size_t>(k)])), from.cols, to.row(k));
  return to;
}

void add_rows(ConstMatrixView from, const std::vector<Size>& sets, MatrixView to) {
  for (Size k = 0; k < from.rows; ++k) {
    Real* const row = to.row(sets[static_cast<std::size_t>(k)]);
    for (Size j = 0; j < from.cols; ++j) row[j] += from(k, j);
  }
}

struct Scratch {
  std::vector<Size> sets;
  std::vector<Real> a, b;
};

Scratch& scratch() {
  thread_local Scratch one;
  return one;
}

void forward(ConstMatrixView x, const Segments& sets, ConstMatrixView weight, const Real* bias,
             MatrixView y) {
  const Size places = weight.cols / x.cols;
  for_blocks(sets.count(), sets_per_block, [&](Size first, Size last) {
    Scratch& s = scratch();
    for (Size b = first; b < last; ++b) std::copy_n(bias, y.cols, y.row(b));
    for (Size i = 0; i < longest(sets, first, last, places); ++i) {
      sets_with(sets, first, last, i, s.sets);
      const MatrixView rows = packed(
          x, s.sets, [&](Size b) { return sets.rows(b).begin + i; }, s.a);
      s.b.resize(static_cast<std::size_t>(rows.rows * y.cols));
      const MatrixView product(s.b.data(), rows.rows, y.cols);
      multiply_serial(rows, Transpose::no, weight.column_block(i * x.cols, (i + 1) * x.cols), Transpose::yes,
                      product);
      add_rows(product, s.sets, y);
    }
  });
}

/// dx of the rows at every place: d W_i. Rows without a place get zeros.
void add_input_gradient(ConstMatrixView d, const Segments& sets, ConstMatrixView weight, MatrixView dx) {
  const Size places = weight.cols / dx.cols;
  for_blocks(sets.count(), sets_per_block, [&](Size first, Size last) {
    Scratch& s = scratch();
    for (Size i = 0; i < longest(sets, first, last, places); ++i) {
      sets_with(sets, first, last, i, s.sets);
      const MatrixView g = packed(
          d, s.sets, [](Size b) { return b; }, s.a);
      s.b.resize(static_cast<std::size_t>(g.rows * dx.cols));
      const MatrixView product(s.b.data(), g.rows, dx.cols);
      multiply_serial(g, Transpose::no, weight.column_block(i * dx.cols, (i + 1) * dx.cols), Transpose::no,
                      product);
      std::vector<Size>& rows = s.sets;
      for (Size& b : rows) b = sets.rows(b).begin + i;
      add_rows(product, rows, dx);
    }
  });
}

/// dW_i = sum_b d_b x_{b,i}^T, place by place.
void add_weight_gradient(ConstMatrixView d, const Segments& sets, ConstMatrixView x, GradSink dw) {
  const Size places = dw.view.cols / x.cols;
  for_blocks(places, 1, [&](Size i, Size) {
    Scratch& s = scratch();
    sets_with(sets, 0, sets.count(), i, s.sets);
    const MatrixView g = packed(
        d, s.sets, [](Size b) { return b; }, s.a);
    const MatrixView rows = packed(
        x, s.sets, [&](Size b) { return sets.rows(b).begin + i; }, s.b);
    multiply_serial(g, Transpose::yes, rows, Transpose::no,
                    dw.view.column_block(i * x.cols, (i + 1) * x.cols), dw.write);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var set_linear(Var x, const Segments& sets, Var weight, Var bias, Activation activation) {
  sets.require_cover("set_linear", x.rows());
  if (weight.shape().rank() != 2 || weight.cols() % std::max<Size>(x.cols(), 1) != 0 ||
      bias.shape().count() != weight.rows()) {
    throw ShapeError(fmt::format(
        "set_linear: x has width {}, weight is {}, bias {}; expected [out, a multiple of {}] and [out]",
        x.cols(), weight.shape().text(), bias.shape().text(), x.cols()));
  }
  Tape& tape = x.tape();
  const Shape shape{sets.count(), weight.rows()};
  const MatrixView y = tape.allocate(shape);
  forward(x.value(), sets, weight.value(), bias.value().data, y);
  const Var sums = tape.record("set_linear", shape, y, {x, weight, bias}, [=, &tape](ConstMatrixView d) {
    if (x.needs_grad()) add_input_gradient(d, sets, weight.value(), tape.grad(x));
    if (weight.needs_grad()) add_weight_gradient(d, sets, x.value(), tape.sink(weight));
    if (bias.needs_grad()) add_column_sums(tape, d, tape.sink(bias));
  });
  return activate(sums, activation);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
