#include "tarn/core/ops/group_norm.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

/// What the passes over rows share.
struct GroupNorm {
  ConstMatrixView x;
  const Real* weight;
  const Real* bias;
  Size groups, width;
  double eps;
  bool rectify;
  std::span<double> mean, rstd;  // [N * G]
};

/// Sum of term(0) .. term(n-1) in 4 partial sums: groups are short, and longer foldings cost more than their
/// terms.
template <class Term>
double short_sum(Size n, Term term) {
  double part[4] = {};
  Size j = 0;
  for (; j + 4 <= n; j += 4) {
    for (Size k = 0; k < 4; ++k) part[k] += term(j + k);
  }
  for (Size k = 0; j + k < n; ++k) part[k] += term(j + k);
  return (part[0] + part[2]) + (part[1] + part[3]);
}

/// Mean of a run, then 1 / sqrt(var + eps) from the squares about it.
void measure_group(const Real* __restrict x, Size n, double eps, double& mean, double& rstd) {
  const auto size = static_cast<double>(n);
  const double m = short_sum(n, [&](Size j) { return static_cast<double>(x[j]); }) / size;
  const double squares = short_sum(n, [&](Size j) {
    const double u = static_cast<double>(x[j]) - m;
    return u * u;
  });
  mean = m;
  rstd = 1 / std::sqrt(squares / size + eps);
}

void forward_row(const GroupNorm& norm, Size i, Real* __restrict y) {
  const Real* __restrict weight = norm.weight;
  const Real* __restrict bias = norm.bias;
  for (Size g = 0; g < norm.groups; ++g) {
    double& mean = norm.mean[static_cast<std::size_t>(i * norm.groups + g)];
    double& rstd = norm.rstd[static_cast<std::size_t>(i * norm.groups + g)];
    const Size first = g * norm.width;
    const Real* __restrict x = norm.x.row(i);
    measure_group(x + first, norm.width, norm.eps, mean, rstd);
    const double m = mean, r = rstd;
    for (Size j = first; j < first + norm.width; ++j) {
      const double n = (static_cast<double>(x[j]) - m) * r;
      y[j] = static_cast<Real>(n * static_cast<double>(weight[j]) + static_cast<double>(bias[j]));
    }
  }
  if (!norm.rectify) return;
  for (Size j = 0; j < norm.x.cols; ++j) y[j] = y[j] < 0 ? Real{0} : y[j];
}

/// The normalised row n, and dn = d weight with d what the relu lets through of dy; adds d n and d to sums [2
/// C].
void unfold_row(const GroupNorm& norm, Size i, const Real* __restrict dy, const Real* __restrict y,
                double* __restrict n, double* __restrict dn, double* sums) {
  const Size cols = norm.x.cols;
  const Real* __restrict x = norm.x.row(i);
  for (Size g = 0; g < norm.groups; ++g) {
    const auto at = static_cast<std::size_t>(i * norm.groups + g);
    const double mean = norm.mean[at], rstd = norm.rstd[at];
    for (Size j = g * norm.width; j < (g + 1) * norm.width; ++j)
      n[j] = (static_cast<double>(x[j]) - mean) * rstd;
  }
  if (norm.rectify) {
    for (Size j = 0; j < cols; ++j) dn[j] = static_cast<double>(dy[j] * Real(y[j] > 0));
  } else {
    for (Size j = 0; j < cols; ++j) dn[j] = static_cast<double>(dy[j]);
  }
  double* __restrict sum_dn = sums;
  double* __restrict sum_d = sums + cols;
  const Real* __restrict weight = norm.weight;
  for (Size j = 0; j < cols; ++j) {
    sum_dn[j] += dn[j] * n[j];
    sum_d[j] += dn[j];
    dn[j] *= static_cast<double>(weight[j]);
  }
}

/// dx (+)= rstd (dn - mean(dn) - n mean(dn n)), group by group.
void fold_row(const GroupNorm& norm, Size i, const double* __restrict n, const double* __restrict dn,
              Real* __restrict dx, Write write) {
  const auto width = static_cast<double>(norm.width);
  for (Size g = 0; g < norm.groups; ++g) {
    const Size first = g * norm.width;
    const double rstd = norm.rstd[static_cast<std::size_t>(i * norm.groups + g)];
    const double sum = short_sum(norm.width, [&](Size j) { return dn[first + j]; });
    const double along = short_sum(norm.width, [&](Size j) { return dn[first + j] * n[first + j]; });
    const double share = sum / width, slope = along / width;
    if (write == Write::assign) {
      for (Size j = first; j < first + norm.width; ++j)
        dx[j] = static_cast<Real>(rstd * (dn[j] - share - slope * n[j]));
    } else {
      for (Size j = first; j < first + norm.width; ++j)
        dx[j] += static_cast<Real>(rstd * (dn[j] - share - slope * n[j]));
    }
  }
}

void add_sums(const double* from, GradSink into) {
  for (Size j = 0; j < into.view.size(); ++j) {
    into.view.data[j] = static_cast<Real>(from[j]) + (into.write == Write::add ? into.view.data[j] : Real{0});
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var group_norm(Var x, Var weight, Var bias, Size groups, double eps, Activation activation) {
  assert(activation != Activation::tanh);
  if (groups < 1 || x.cols() % groups != 0) {
    throw ShapeError(fmt::format("group norm: {} groups over {} channels; expected a divisor of {}", groups,
                                 x.cols(), x.cols()));
  }
  Tape& tape = x.tape();
  const GroupNorm norm{x.value(),
                       weight.value().data,
                       bias.value().data,
                       groups,
                       x.cols() / groups,
                       eps,
                       activation == Activation::relu,
                       tape.allocate_array<double>(x.rows() * groups),
                       tape.allocate_array<double>(x.rows() * groups)};
  const MatrixView y = tape.allocate(x.shape());
  for_blocks(y.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) forward_row(norm, i, y.row(i));
  });
  return tape.record("group_norm", x.shape(), y, {x, weight, bias}, [=, &tape](ConstMatrixView dy) {
    const Size blocks = std::max<Size>((dy.rows + rows_per_block - 1) / rows_per_block, 1);
    // Per block the sums of both gradients, and one row of n and dn.
    const Size stride = 4 * dy.cols;
    const auto partial = tape.allocate_array<double>(blocks * stride);
    const GradSink dx = x.needs_grad() ? tape.sink(x) : GradSink{};
    for_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
      double* sums = partial.data() + begin / rows_per_block * stride;
      double *n = sums + 2 * dy.cols, *dn = n + dy.cols;
      std::fill_n(sums, 2 * dy.cols, 0.0);
      for (Size i = begin; i < end; ++i) {
        unfold_row(norm, i, dy.row(i), y.row(i), n, dn, sums);
        if (dx.view.data != nullptr) fold_row(norm, i, n, dn, dx.view.row(i), dx.write);
      }
    });
    if (dy.rows == 0) std::fill_n(partial.data(), 2 * dy.cols, 0.0);
    for (Size b = 1; b < blocks; ++b) {
      for (Size j = 0; j < 2 * dy.cols; ++j) {
        partial[static_cast<std::size_t>(j)] += partial[static_cast<std::size_t>(b * stride + j)];
      }
    }
    if (weight.needs_grad()) add_sums(partial.data(), tape.sink(weight));
    if (bias.needs_grad()) add_sums(partial.data() + dy.cols, tape.sink(bias));
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
