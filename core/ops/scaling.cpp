#include "tarn/core/ops/scaling.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/reduce_rows.hpp"
#include "tarn/core/ops/vector_math.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr Size elements_per_block = 16384;

/// f(row) for every row, in parallel.
template <class F>
void for_rows(ConstMatrixView m, F f) {
  for_blocks(m.rows, std::max<Size>(1, elements_per_block / std::max<Size>(m.cols, 1)),
             [&](Size begin, Size end) {
               for (Size i = begin; i < end; ++i) f(i);
             });
}

Real before(const GradSink& s, Size i, Size j) {
  return s.write == Write::add ? s.view(i, j) : Real{0};
}

}  // namespace

inline namespace TARN_PRECISION {

Var scale_columns(Var x, Var factors) {
  if (factors.shape().count() != x.cols()) {
    throw ShapeError(fmt::format("scale_columns: x has width {}, factors have shape {}; expected [{}]",
                                 x.cols(), factors.shape().text(), x.cols()));
  }
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real* f = factors.value().data;
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = in(i, j) * f[j];
  });
  return tape.record("scale_columns", x.shape(), y, {x, factors}, [=, &tape](ConstMatrixView dy) {
    if (factors.needs_grad()) {
      const MatrixView products = tape.allocate({dy.rows, dy.cols});
      for_rows(dy, [&](Size i) {
        for (Size j = 0; j < dy.cols; ++j) products(i, j) = dy(i, j) * in(i, j);
      });
      add_column_sums(tape, products, tape.sink(factors));
    }
    if (!x.needs_grad()) return;
    const GradSink s = tape.sink(x);
    for_rows(dy, [&](Size i) {
      for (Size j = 0; j < dy.cols; ++j) s.view(i, j) = before(s, i, j) + dy(i, j) * f[j];
    });
  });
}

Var scale_rows(Var x, std::span<const double> factors) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const auto own = tape.allocate_array<double>(in.rows);
  std::copy_n(factors.begin(), own.size(), own.begin());
  const auto factor = [own](Size i) { return static_cast<Real>(own[static_cast<std::size_t>(i)]); };
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = factor(i) * in(i, j);
  });
  return tape.record("scale_rows", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const GradSink s = tape.sink(x);
    for_rows(dy, [&](Size i) {
      for (Size j = 0; j < dy.cols; ++j) s.view(i, j) = before(s, i, j) + factor(i) * dy(i, j);
    });
  });
}

Var power(Var x, double exponent) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real e = static_cast<Real>(exponent);
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y, [&](Size i) {
    Real* const row = y.row(i);
    std::copy_n(in.row(i), y.cols, row);
    log_in_place(row, y.cols);
    for (Size j = 0; j < y.cols; ++j) row[j] *= e;
    exp_in_place(row, y.cols);
    for (Size j = 0; j < y.cols; ++j) row[j] = in(i, j) == 0 ? Real{0} : row[j];
  });
  return tape.record("power", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const GradSink s = tape.sink(x);
    for_rows(dy, [&](Size i) {
      for (Size j = 0; j < dy.cols; ++j) {
        const Real slope = in(i, j) == 0 ? Real{0} : e * y(i, j) / in(i, j);
        s.view(i, j) = before(s, i, j) + slope * dy(i, j);
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
