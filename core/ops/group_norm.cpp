#include "tarn/core/ops/group_norm.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

/// Mean and 1 / sqrt(var + eps) of a run, whose mean comes first: squares are taken about it.
struct Moments {
  double mean;
  double rstd;
};

Moments moments_of(const Real* x, Size n, double eps) {
  double sum = 0, squares = 0;
  for (Size j = 0; j < n; ++j) sum += static_cast<double>(x[j]);
  const double mean = sum / static_cast<double>(n);
  for (Size j = 0; j < n; ++j) {
    const double u = static_cast<double>(x[j]) - mean;
    squares += u * u;
  }
  return {mean, 1 / std::sqrt(squares / static_cast<double>(n) + eps)};
}

/// What the passes over rows share.
struct GroupNorm {
  ConstMatrixView x;
  const Real* weight;
  const Real* bias;
  Size groups, width;
  double eps;
  bool rectify;

  void forward_row(Size i, Real* y) const {
    for (Size first = 0; first < x.cols; first += width) {
      const auto [mean, rstd] = moments_of(x.row(i) + first, width, eps);
      for (Size j = first; j < first + width; ++j) {
        const double n = (static_cast<double>(x.row(i)[j]) - mean) * rstd;
        const Real v = static_cast<Real>(n * static_cast<double>(weight[j]) + static_cast<double>(bias[j]));
        y[j] = rectify && v < 0 ? Real{0} : v;
      }
    }
  }

  /// dx (+)= rstd (dn - mean(dn) - n mean(dn n)) with n the normalised row and dn = d weight; adds d n and d
  /// to the sums [2 C] of the parameters' gradients. dx may be null.
  void backward_row(Size i, const Real* dy, const Real* y, Real* dx, Write write, double* sums) const {
    for (Size first = 0; first < x.cols; first += width) {
      const auto [mean, rstd] = moments_of(x.row(i) + first, width, eps);
      const auto normalised = [&, m = mean, r = rstd](Size j) {
        return (static_cast<double>(x.row(i)[j]) - m) * r;
      };
      const auto passed = [&](Size j) { return rectify && !(y[j] > 0) ? 0.0 : static_cast<double>(dy[j]); };
      double sum = 0, along = 0;
      for (Size j = first; j < first + width; ++j) {
        const double d = passed(j), n = normalised(j), dn = d * static_cast<double>(weight[j]);
        sums[j] += d * n;
        sums[x.cols + j] += d;
        sum += dn;
        along += dn * n;
      }
      if (dx == nullptr) continue;
      const double share = sum / static_cast<double>(width), slope = along / static_cast<double>(width);
      for (Size j = first; j < first + width; ++j) {
        const double dn = passed(j) * static_cast<double>(weight[j]);
        const double d = rstd * (dn - share - slope * normalised(j));
        dx[j] = static_cast<Real>(d) + (write == Write::add ? dx[j] : Real{0});
      }
    }
  }
};

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
  const GroupNorm norm{x.value(), weight.value().data,           bias.value().data, groups, x.cols() / groups,
                       eps,       activation == Activation::relu};
  const MatrixView y = tape.allocate(x.shape());
  for_blocks(y.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) norm.forward_row(i, y.row(i));
  });
  return tape.record("group_norm", x.shape(), y, {x, weight, bias}, [=, &tape](ConstMatrixView dy) {
    const Size blocks = std::max<Size>((dy.rows + rows_per_block - 1) / rows_per_block, 1);
    const auto partial = tape.allocate_array<double>(blocks * 2 * dy.cols);
    std::fill(partial.begin(), partial.end(), 0.0);
    const GradSink dx = x.needs_grad() ? tape.sink(x) : GradSink{};
    for_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
      double* sums = partial.data() + begin / rows_per_block * 2 * dy.cols;
      for (Size i = begin; i < end; ++i) {
        norm.backward_row(i, dy.row(i), y.row(i), dx.view.data == nullptr ? nullptr : dx.view.row(i),
                          dx.write, sums);
      }
    });
    for (Size b = 1; b < blocks; ++b) {
      for (Size j = 0; j < 2 * dy.cols; ++j) {
        partial[static_cast<std::size_t>(j)] += partial[static_cast<std::size_t>(b * 2 * dy.cols + j)];
      }
    }
    if (weight.needs_grad()) add_sums(partial.data(), tape.sink(weight));
    if (bias.needs_grad()) add_sums(partial.data() + dy.cols, tape.sink(bias));
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
