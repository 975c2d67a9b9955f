#include "tarn/core/ops/interpolate.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

template <class F>
void for_rows(Size rows, F f) {
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) f(i);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var interpolate(Var logits, Var a, Var b) {
  if (a.shape() != b.shape() || logits.shape().count() != a.rows()) {
    throw ShapeError(fmt::format("interpolate: logits {}, a {}, b {}; expected [N, 1] and twice [N, D]",
                                 logits.shape().text(), a.shape().text(), b.shape().text()));
  }
  Tape& tape = a.tape();
  const ConstMatrixView x = a.value(), z = b.value();
  const Size cols = x.cols;
  const auto gate = tape.allocate_array<Real>(x.rows);
  const MatrixView y = tape.allocate(a.shape());
  for_rows(x.rows, [&](Size i) {
    const Real g = gate[static_cast<std::size_t>(i)] = 1 / (1 + std::exp(-logits.value().data[i]));
    for (Size j = 0; j < cols; ++j) y(i, j) = g * x(i, j) + (1 - g) * z(i, j);
  });
  return tape.record("interpolate", a.shape(), y, {logits, a, b}, [=, &tape](ConstMatrixView dy) {
    const auto gate_of = [&](Size i) { return gate[static_cast<std::size_t>(i)]; };
    if (logits.needs_grad()) {
      Real* into = tape.grad(logits).data;
      for_rows(dy.rows, [&](Size i) {
        const Real along = dot(dy.row(i), x.row(i), cols) - dot(dy.row(i), z.row(i), cols);
        into[i] += gate_of(i) * (1 - gate_of(i)) * along;
      });
    }
    const auto pass = [&](Var v, auto share) {
      if (!v.needs_grad()) return;
      const MatrixView into = tape.grad(v);
      for_rows(dy.rows, [&](Size i) { add_scaled(share(gate_of(i)), dy.row(i), into.row(i), cols); });
    };
    pass(a, [](Real g) { return g; });
    pass(b, [](Real g) { return 1 - g; });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
