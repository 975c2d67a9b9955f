#include "tarn/core/ops/elementwise.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/dropout_factors.hpp"
#include "tarn/core/ops/reduce_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn {

namespace {

constexpr Size elements_per_block = 16384;

/// f(row) for every row, in parallel.
template <class F>
void for_rows(Size rows, Size cols, F f) {
  for_blocks(rows, std::max<Size>(1, elements_per_block / std::max<Size>(cols, 1)),
             [&](Size begin, Size end) {
               for (Size i = begin; i < end; ++i) f(i);
             });
}

/// f(row, column, factor) for every number of a matrix, rows in parallel; factors are drawn in runs.
template <class F>
void for_factors(const DropoutFactors& factors, Size rows, Size cols, F f) {
  const Size grain = std::max<Size>(1, elements_per_block / std::max<Size>(cols, 1));
  for_blocks(rows, grain, [&](Size begin, Size end) {
    std::array<Real, 256> run;
    Size row = begin, column = 0;
    for (Size at = begin * cols; at < end * cols; at += static_cast<Size>(run.size())) {
      const auto part = std::span(run).first(
          static_cast<std::size_t>(std::min(static_cast<Size>(run.size()), end * cols - at)));
      factors.write(at, part);
      for (const Real factor : part) {
        f(row, column, factor);
        if (++column == cols) {
          column = 0;
          ++row;
        }
      }
    }
  });
}

void require_equal(const char* where, Var a, Var b) {
  if (a.shape() == b.shape()) return;
  throw ShapeError(fmt::format("{}: shapes are {} and {}; expected equal ones", where, a.shape().text(),
                               b.shape().text()));
}

/// One number per element of two inputs: value f(a, b), and da(dy, a, b), db(dy, a, b) for the gradients.
template <class F, class Da, class Db>
Var binary(const char* name, Var a, Var b, F f, Da da, Db db) {
  require_equal(name, a, b);
  Tape& tape = a.tape();
  const ConstMatrixView x = a.value(), z = b.value();
  const MatrixView y = tape.allocate(a.shape());
  for_rows(y.rows, y.cols, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = f(x(i, j), z(i, j));
  });
  return tape.record(name, a.shape(), y, {a, b}, [=, &tape](ConstMatrixView dy) {
    const auto into = [&](Var v, auto derivative) {
      if (!v.needs_grad()) return;
      const GradSink s = tape.sink(v);
      for_rows(dy.rows, dy.cols, [&](Size i) {
        for (Size j = 0; j < dy.cols; ++j) {
          s.view(i, j) =
              derivative(dy(i, j), x(i, j), z(i, j)) + (s.write == Write::add ? s.view(i, j) : Real{0});
        }
      });
    };
    into(a, da);
    into(b, db);
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var activate(Var x, Activation activation) {
  if (activation == Activation::none) return x;
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y.rows, y.cols, [&](Size i) { activate_run(activation, in.row(i), y.row(i), y.cols); });
  return tape.record("activate", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const GradSink s = tape.sink(x);
    if (s.write == Write::assign) {
      return for_rows(dy.rows, dy.cols, [&](Size i) {
        activation_gradient(activation, dy.row(i), in.row(i), y.row(i), s.view.row(i), dy.cols);
      });
    }
    const MatrixView d = tape.allocate(x.shape());
    for_rows(dy.rows, dy.cols, [&](Size i) {
      activation_gradient(activation, dy.row(i), in.row(i), y.row(i), d.row(i), dy.cols);
      for (Size j = 0; j < dy.cols; ++j) s.view(i, j) += d(i, j);
    });
  });
}

Var add(Var a, Var b, double factor) {
  const Real c = static_cast<Real>(factor);
  return binary(
      "add", a, b, [c](Real x, Real z) { return x + c * z; }, [](Real dy, Real, Real) { return dy; },
      [c](Real dy, Real, Real) { return c * dy; });
}

Var absolute_difference(Var a, Var b) {
  const auto sign = [](Real v) { return Real(v > 0) - Real(v < 0); };
  return binary(
      "absolute_difference", a, b, [](Real x, Real z) { return std::abs(x - z); },
      [sign](Real dy, Real x, Real z) { return dy * sign(x - z); },
      [sign](Real dy, Real x, Real z) { return -dy * sign(x - z); });
}

Var multiply_elements(Var a, Var b) {
  return binary(
      "multiply_elements", a, b, [](Real x, Real z) { return x * z; },
      [](Real dy, Real, Real z) { return dy * z; }, [](Real dy, Real x, Real) { return dy * x; });
}

Var scale(Var x, double factor) {
  Tape& tape = x.tape();
  const Real c = static_cast<Real>(factor);
  const auto write = [c](ConstMatrixView from, GradSink to) {
    for_rows(from.rows, from.cols, [&](Size i) {
      for (Size j = 0; j < from.cols; ++j) {
        to.view(i, j) = c * from(i, j) + (to.write == Write::add ? to.view(i, j) : Real{0});
      }
    });
  };
  const MatrixView y = tape.allocate(x.shape());
  write(x.value(), {y, Write::assign});
  return tape.record("scale", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) { write(dy, tape.sink(x)); });
}

Var scale_by_one_plus(Var x, Var eps) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real factor = 1 + eps.value().data[0];
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y.rows, y.cols, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = factor * in(i, j);
  });
  return tape.record("scale_by_one_plus", x.shape(), y, {x, eps}, [=, &tape](ConstMatrixView dy) {
    if (eps.needs_grad()) {
      const Size grain = std::max<Size>(1, elements_per_block / std::max<Size>(dy.cols, 1));
      const double total = sum_blocks(dy.rows, grain, [&](Size begin, Size end) {
        double sum = 0;
        for (Size i = begin; i < end; ++i) {
          for (Size j = 0; j < dy.cols; ++j)
            sum += static_cast<double>(dy(i, j)) * static_cast<double>(in(i, j));
        }
        return sum;
      });
      tape.grad(eps).data[0] += static_cast<Real>(total);
    }
    if (!x.needs_grad()) return;
    const GradSink s = tape.sink(x);
    for_rows(dy.rows, dy.cols, [&](Size i) {
      for (Size j = 0; j < dy.cols; ++j) {
        s.view(i, j) = factor * dy(i, j) + (s.write == Write::add ? s.view(i, j) : Real{0});
      }
    });
  });
}

Var add_row(Var x, Var b) {
  if (b.shape().count() != x.cols()) {
    throw ShapeError(fmt::format("add_row: x has width {}, b has shape {}; expected [{}]", x.cols(),
                                 b.shape().text(), x.cols()));
  }
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real* row = b.value().data;
  const MatrixView y = tape.allocate(x.shape());
  for_rows(y.rows, y.cols, [&](Size i) {
    for (Size j = 0; j < y.cols; ++j) y(i, j) = in(i, j) + row[j];
  });
  return tape.record("add_row", x.shape(), y, {x, b}, [=, &tape](ConstMatrixView dy) {
    if (b.needs_grad()) add_column_sums(tape, dy, tape.sink(b));
    if (x.needs_grad()) pass_gradient(dy, tape.sink(x));
  });
}

Var average(std::span<const Var> blocks) {
  Tape& tape = blocks[0].tape();
  const Real share = Real(1) / static_cast<Real>(blocks.size());
  const MatrixView y = tape.allocate(blocks[0].shape());
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()));
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  for (const Var& v : blocks) require_equal("average", blocks[0], v);
  for_rows(y.rows, y.cols, [&](Size i) {
    std::fill_n(y.row(i), y.cols, Real{0});
    for (const Var& v : inputs) {
      const Real* x = v.value().row(i);
      for (Size j = 0; j < y.cols; ++j) y(i, j) += share * x[j];
    }
  });
  return tape.record("average", blocks[0].shape(), y, std::span<const Var>(inputs),
                     [=, &tape](ConstMatrixView dy) {
                       for (const Var& v : inputs) {
                         if (!v.needs_grad()) continue;
                         const MatrixView dx = tape.grad(v);
                         for_rows(dy.rows, dy.cols, [&](Size i) {
                           for (Size j = 0; j < dy.cols; ++j) dx(i, j) += share * dy(i, j);
                         });
                       }
                     });
}

Var maximum(std::span<const Var> blocks) {
  Tape& tape = blocks[0].tape();
  const Shape shape = blocks[0].shape();
  const MatrixView y = tape.allocate(shape);
  const auto winner = tape.allocate_array<std::int32_t>(shape.count());
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()));
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  for (const Var& v : blocks) require_equal("maximum", blocks[0], v);
  for_rows(y.rows, y.cols, [&](Size i) {
    std::int32_t* won = winner.data() + i * y.cols;
    for (Size j = 0; j < y.cols; ++j) {
      y(i, j) = inputs[0].value()(i, j);
      won[j] = 0;
      for (std::size_t k = 1; k < inputs.size(); ++k) {
        const Real x = inputs[k].value()(i, j);
        if (x > y(i, j)) {
          y(i, j) = x;
          won[j] = static_cast<std::int32_t>(k);
        }
      }
    }
  });
  return tape.record("maximum", shape, y, std::span<const Var>(inputs), [=, &tape](ConstMatrixView dy) {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (!inputs[k].needs_grad()) continue;
      const MatrixView dx = tape.grad(inputs[k]);
      for_rows(dy.rows, dy.cols, [&](Size i) {
        const std::int32_t* won = winner.data() + i * dy.cols;
        for (Size j = 0; j < dy.cols; ++j) {
          if (won[j] == static_cast<std::int32_t>(k)) dx(i, j) += dy(i, j);
        }
      });
    }
  });
}

Var concat_columns(std::span<const Var> blocks) {
  Tape& tape = blocks[0].tape();
  Size width = 0;
  for (const Var& v : blocks) {
    if (v.rows() != blocks[0].rows()) {
      throw ShapeError(fmt::format("concat_columns: blocks have {} and {} rows; expected the same number",
                                   blocks[0].rows(), v.rows()));
    }
    width += v.cols();
  }
  const Shape shape{blocks[0].rows(), width};
  const MatrixView y = tape.allocate(shape);
  const auto inputs = tape.allocate_array<Var>(static_cast<Size>(blocks.size()));
  std::copy(blocks.begin(), blocks.end(), inputs.begin());
  for_rows(y.rows, y.cols, [&](Size i) {
    Real* out = y.row(i);
    for (const Var& v : inputs) out = std::copy_n(v.value().row(i), v.cols(), out);
  });
  return tape.record("concat_columns", shape, y, std::span<const Var>(inputs),
                     [=, &tape](ConstMatrixView dy) {
                       Size column = 0;
                       for (const Var& v : inputs) {
                         const ConstMatrixView part = dy.column_block(column, column + v.cols());
                         column += v.cols();
                         if (v.needs_grad()) pass_gradient(part, tape.sink(v));
                       }
                     });
}

Var reshape(Var x, const Shape& shape) {
  if (x.shape().count() != shape.count()) {
    throw ShapeError(fmt::format("reshape: got {}; expected {} elements for {}", x.shape().text(),
                                 shape.count(), shape.text()));
  }
  Tape& tape = x.tape();
  const ConstMatrixView y(x.value().data, shape.rows(), shape.cols());
  return tape.record("reshape", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const auto from = dy.flat();
    const auto to = tape.grad(x).flat();
    for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
  });
}

Var average_heads(Var x, Size heads) {
  if (heads == 1) return x;
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Shape shape{x.rows(), x.cols() / heads};
  const Real share = Real(1) / static_cast<Real>(heads);
  const MatrixView y = tape.allocate(shape);
  for_rows(y.rows, x.cols(), [&](Size i) {
    std::fill_n(y.row(i), y.cols, Real{0});
    for (Size j = 0; j < in.cols; ++j) y(i, j % y.cols) += share * in(i, j);
  });
  return tape.record("average_heads", shape, y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_rows(dx.rows, dx.cols, [&](Size i) {
      for (Size j = 0; j < dx.cols; ++j) dx(i, j) += share * dy(i, j % dy.cols);
    });
  });
}

Var dropout(Var x, double p) {
  Tape& tape = x.tape();
  if (p == 0 || !tape.pass().training) return x;
  const DropoutFactors factors(tape.next_rng(), p);
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  for_factors(factors, y.rows, y.cols, [&](Size i, Size j, Real factor) { y(i, j) = factor * in(i, j); });
  return tape.record("dropout", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_factors(factors, dy.rows, dy.cols,
                [&](Size i, Size j, Real factor) { dx(i, j) += factor * dy(i, j); });
  });
}

Var normalize_rows(Var x, double eps, NormGuard guard) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  const auto norms = tape.allocate_array<double>(in.rows);
  for_rows(in.rows, in.cols, [&](Size i) {
    double squares = 0;
    for (Size j = 0; j < in.cols; ++j)
      squares += static_cast<double>(in(i, j)) * static_cast<double>(in(i, j));
    const double norm = norms[static_cast<std::size_t>(i)] = std::sqrt(squares);
    const double divisor = guard == NormGuard::maximum ? std::max(norm, eps) : norm + eps;
    for (Size j = 0; j < in.cols; ++j) y(i, j) = static_cast<Real>(static_cast<double>(in(i, j)) / divisor);
  });
  return tape.record("normalize_rows", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    for_rows(dy.rows, dy.cols, [&](Size i) {
      const double norm = norms[static_cast<std::size_t>(i)];
      const double divisor = guard == NormGuard::maximum ? std::max(norm, eps) : norm + eps;
      double dot = 0;  // <dy, x>
      for (Size j = 0; j < dy.cols; ++j) dot += static_cast<double>(dy(i, j)) * static_cast<double>(in(i, j));
      // The norm's own derivative x / |x| is taken as zero at 0, and under the guard of a maximum.
      const bool constant = norm == 0 || (guard == NormGuard::maximum && norm <= eps);
      const double along = constant ? 0 : dot / (divisor * divisor * norm);
      for (Size j = 0; j < dy.cols; ++j) {
        dx(i, j) += static_cast<Real>(static_cast<double>(dy(i, j)) / divisor -
                                      along * static_cast<double>(in(i, j)));
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
