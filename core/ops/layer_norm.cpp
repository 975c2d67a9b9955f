#include "tarn/core/ops/layer_norm.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/vector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_block = 128;

void require_width(const char* what, Var v, Size width) {
  if (!v.given() || v.shape().count() == width) return;
  throw ShapeError(fmt::format("layer_norm: x has width {}, {} has shape {}; expected [{}]", width, what,
                               v.shape().text(), width));
}

/// Mean and 1 / sqrt(var + eps) of each row.
struct RowMoments {
  std::span<Real> mean;
  std::span<Real> rstd;
};

/// dx (+)= rstd (g - mean(g) - u mean(g u)) with g = weight dy and u the normalised row.
void row_gradient(const Real* dy, const Real* x, const Real* weight, Real mean, Real rstd, Size n,
                  GradSink into, Size row) {
  const auto gain = [&](Size j) { return weight != nullptr ? weight[j] : Real{1}; };
  const auto [sum, along] = wide_sums(n, [&](Size j) {
    const Real g = gain(j) * dy[j];
    return std::pair(g, g * ((x[j] - mean) * rstd));
  });
  const Real share = static_cast<Real>(sum / static_cast<double>(n));
  const Real slope = static_cast<Real>(along / static_cast<double>(n)) * rstd;
  Real* out = into.view.row(row);
  const auto value = [&](Size j) { return rstd * (gain(j) * dy[j] - share - (x[j] - mean) * slope); };
  if (into.write == Write::assign) {
    for (Size j = 0; j < n; ++j) out[j] = value(j);
  } else {
    for (Size j = 0; j < n; ++j) out[j] += value(j);
  }
}

/// Gradients of weight and bias: column sums over fixed blocks of rows, joined in order, in double.
void parameter_gradients(Tape& tape, ConstMatrixView dy, ConstMatrixView x, const RowMoments& m, Var weight,
                         Var bias) {
  const auto needs = [](Var v) { return v.given() && v.needs_grad(); };
  if (!needs(weight) && !needs(bias)) return;
  const Size cols = x.cols, blocks = std::max<Size>((x.rows + rows_per_block - 1) / rows_per_block, 1);
  const auto parts = tape.allocate_array<double>(blocks * 2 * cols);
  std::fill(parts.begin(), parts.end(), 0.0);
  for_blocks(x.rows, rows_per_block, [&](Size begin, Size end) {
    double* __restrict dw = parts.data() + begin / rows_per_block * 2 * cols;
    double* __restrict db = dw + cols;
    for (Size i = begin; i < end; ++i) {
      const Real mean = m.mean[static_cast<std::size_t>(i)], rstd = m.rstd[static_cast<std::size_t>(i)];
      const Real* __restrict g = dy.row(i);
      const Real* __restrict in = x.row(i);
      for (Size j = 0; j < cols; ++j) {
        dw[j] += static_cast<double>(g[j] * ((in[j] - mean) * rstd));
        db[j] += static_cast<double>(g[j]);
      }
    }
  });
  const auto join = [&](Var v, Size first) {
    if (!needs(v)) return;
    const GradSink into = tape.sink(v);
    for (Size j = 0; j < cols; ++j) {
      double total = 0;
      for (Size b = 0; b < blocks; ++b) total += parts[static_cast<std::size_t>(b * 2 * cols + first + j)];
      Real& out = into.view.data[j];
      out = static_cast<Real>(total) + (into.write == Write::add ? out : Real{0});
    }
  };
  join(weight, 0);
  join(bias, cols);
}

}  // namespace

inline namespace TARN_PRECISION {

Var layer_norm(Var x, Var weight, Var bias, double eps) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Size n = in.cols;
  require_width("weight", weight, n);
  require_width("bias", bias, n);
  const MatrixView y = tape.allocate(x.shape());
  const RowMoments m{tape.allocate_array<Real>(in.rows), tape.allocate_array<Real>(in.rows)};
  const Real* w = weight.given() ? weight.value().data : nullptr;
  const Real* b = bias.given() ? bias.value().data : nullptr;
  for_blocks(in.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      const Real* row = in.row(i);
      // About the first number of the row, which bounds the relative error of the variance by n times that
      // of a double.
      const double count = static_cast<double>(n), shift = n > 0 ? static_cast<double>(row[0]) : 0.0;
      const auto [sum, squares] = wide_sums(n, [&](Size j) {
        const double u = static_cast<double>(row[j]) - shift;
        return std::pair(u, u * u);
      });
      const double offset = sum / count, variance = std::max(0.0, squares / count - offset * offset);
      const Real centre = m.mean[static_cast<std::size_t>(i)] = static_cast<Real>(shift + offset);
      const Real rstd = m.rstd[static_cast<std::size_t>(i)] =
          static_cast<Real>(1 / std::sqrt(variance + eps));
      Real* out = y.row(i);
      for (Size j = 0; j < n; ++j) out[j] = (row[j] - centre) * rstd;
      if (w != nullptr) {
        for (Size j = 0; j < n; ++j) out[j] *= w[j];
      }
      if (b != nullptr) {
        for (Size j = 0; j < n; ++j) out[j] += b[j];
      }
    }
  });
  return tape.record("layer_norm", x.shape(), y, {x, weight, bias}, [=, &tape](ConstMatrixView dy) {
    parameter_gradients(tape, dy, in, m, weight, bias);
    if (!x.needs_grad()) return;
    const GradSink dx = tape.sink(x);
    for_blocks(in.rows, rows_per_block, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) {
        const auto k = static_cast<std::size_t>(i);
        row_gradient(dy.row(i), in.row(i), w, m.mean[k], m.rstd[k], n, dx, i);
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
