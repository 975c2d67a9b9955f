#include "tarn/core/ops/log_softmax.hpp"

#include "tarn/core/ops/vector_math.hpp"

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// f(row) for every row, in parallel.
template <class F>
void for_rows(Size rows, F f) {
  for_blocks(rows, 64, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var log_softmax(Var x) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  for_rows(in.rows, [&](Size i) {
    const auto row = in.row_span(i);
    const Real best = row.empty() ? Real{0} : *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (Size j = 0; j < in.cols; ++j) sum += std::exp(static_cast<double>(in(i, j) - best));
    const Real shift = best + static_cast<Real>(std::log(sum));
    for (Size j = 0; j < in.cols; ++j) y(i, j) = in(i, j) - shift;
  });
  return tape.record("log_softmax", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_rows(dy.rows, [&](Size i) {
      double sum = 0;
      for (Size j = 0; j < dy.cols; ++j) sum += static_cast<double>(dy(i, j));
      for (Size j = 0; j < dy.cols; ++j) {
        dx(i, j) += dy(i, j) - static_cast<Real>(std::exp(static_cast<double>(y(i, j))) * sum);
      }
    });
  });
}

Var log_sum_exp(std::span<const Var> blocks) {
  Tape& tape = blocks[0].tape();
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()));
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  const Shape shape = blocks[0].shape();
  const MatrixView y = tape.allocate(shape);
  for_rows(y.rows, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) {
      Real best = inputs[0].value()(i, j);
      for (const Var& v : inputs) best = std::max(best, v.value()(i, j));
      double sum = 0;
      for (const Var& v : inputs) sum += std::exp(static_cast<double>(v.value()(i, j) - best));
      y(i, j) = best + static_cast<Real>(std::log(sum));
    }
  });
  return tape.record("log_sum_exp", shape, y, std::span<const Var>(inputs), [=, &tape](ConstMatrixView dy) {
    for (const Var& v : inputs) {
      if (!v.needs_grad()) continue;
      const MatrixView dx = tape.grad(v);
      const ConstMatrixView x = v.value();
      for_rows(dy.rows, [&](Size i) {
        for (Size j = 0; j < dy.cols; ++j)
          dx(i, j) += dy(i, j) * static_cast<Real>(std::exp(static_cast<double>(x(i, j) - y(i, j))));
      });
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
