#include "tarn/core/ops/batch_norm.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

/// Column sums of f(i, j) over fixed blocks of rows, joined in order, in double.
template <class F>
std::span<double> column_sums(Tape& tape, Size rows, Size cols, F f) {
  const Size blocks = std::max<Size>((rows + rows_per_block - 1) / rows_per_block, 1);
  const auto partial = tape.allocate_array<double>(blocks * cols);
  std::fill(partial.begin(), partial.end(), 0.0);
  for_blocks(rows, rows_per_block, [&](Size begin, Size end) {
    double* sum = partial.data() + begin / rows_per_block * cols;
    for (Size i = begin; i < end; ++i) {
      for (Size j = 0; j < cols; ++j) sum[j] += f(i, j);
    }
  });
  for (Size b = 1; b < blocks; ++b) {
    for (Size j = 0; j < cols; ++j)
      partial[static_cast<std::size_t>(j)] += partial[static_cast<std::size_t>(b * cols + j)];
  }
  return partial.first(static_cast<std::size_t>(cols));
}

/// Mean and 1 / sqrt(var + eps) of each channel, from the batch or from the running state.
struct Statistics {
  std::span<double> mean;
  std::span<double> rstd;
};

Statistics batch_statistics(Tape& tape, ConstMatrixView x, Parameter& running_mean, Parameter& running_var,
                            double eps, double momentum) {
  const double n = static_cast<double>(x.rows);
  const auto mean =
      column_sums(tape, x.rows, x.cols, [&](Size i, Size j) { return static_cast<double>(x(i, j)); });
  for (double& m : mean) m /= n;
  const auto variance = column_sums(tape, x.rows, x.cols, [&](Size i, Size j) {
    const double u = static_cast<double>(x(i, j)) - mean[static_cast<std::size_t>(j)];
    return u * u;
  });
  for (std::size_t j = 0; j < mean.size(); ++j) {
    Real& rm = running_mean.value.flat()[j];
    Real& rv = running_var.value.flat()[j];
    rm = static_cast<Real>((1 - momentum) * static_cast<double>(rm) + momentum * mean[j]);
    rv = static_cast<Real>((1 - momentum) * static_cast<double>(rv) + momentum * variance[j] / (n - 1));
    variance[j] = 1 / std::sqrt(variance[j] / n + eps);
  }
  return {mean, variance};
}

Statistics running_statistics(Tape& tape, const Parameter& running_mean, const Parameter& running_var,
                              double eps) {
  const Size channels = running_mean.value.size();
  const Statistics s{tape.allocate_array<double>(channels), tape.allocate_array<double>(channels)};
  for (std::size_t j = 0; j < s.mean.size(); ++j) {
    s.mean[j] = static_cast<double>(running_mean.value.flat()[j]);
    s.rstd[j] = 1 / std::sqrt(static_cast<double>(running_var.value.flat()[j]) + eps);
  }
  return s;
}

void add_row_gradient(std::span<const double> sums, MatrixView into) {
  for (std::size_t j = 0; j < sums.size(); ++j) into.data[j] += static_cast<Real>(sums[j]);
}

}  // namespace

inline namespace TARN_PRECISION {

Var batch_norm(Var x, Var weight, Var bias, Parameter& running_mean, Parameter& running_var, double eps,
               double momentum, const char* where) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const bool training = tape.pass().training && in.rows > 0;
  if (training && in.rows == 1) {
    throw ShapeError(fmt::format(
        "{}: a training batch of one row; expected at least two (statistics over the batch)", where));
  }
  const Statistics s = training ? batch_statistics(tape, in, running_mean, running_var, eps, momentum)
                                : running_statistics(tape, running_mean, running_var, eps);
  const auto normalised = [=](Size i, Size j) {
    const auto c = static_cast<std::size_t>(j);
    return (static_cast<double>(in(i, j)) - s.mean[c]) * s.rstd[c];
  };
  const auto gain = [=](Size j) {
    return weight.given() ? static_cast<double>(weight.value().data[j]) : 1.0;
  };
  const MatrixView y = tape.allocate(x.shape());
  for_blocks(in.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      for (Size j = 0; j < in.cols; ++j) {
        const double shift = bias.given() ? static_cast<double>(bias.value().data[j]) : 0.0;
        y(i, j) = static_cast<Real>(normalised(i, j) * gain(j) + shift);
      }
    }
  });
  return tape.record("batch_norm", x.shape(), y, {x, weight, bias}, [=, &tape](ConstMatrixView dy) {
    const auto sum_dy =
        column_sums(tape, dy.rows, dy.cols, [&](Size i, Size j) { return static_cast<double>(dy(i, j)); });
    const auto sum_dyn = column_sums(tape, dy.rows, dy.cols, [&](Size i, Size j) {
      return static_cast<double>(dy(i, j)) * normalised(i, j);
    });
    if (weight.given() && weight.needs_grad()) add_row_gradient(sum_dyn, tape.grad(weight));
    if (bias.given() && bias.needs_grad()) add_row_gradient(sum_dy, tape.grad(bias));
    if (!x.needs_grad()) return;
    const MatrixView dx = tape.grad(x);
    const double share = training ? 1 / static_cast<double>(dy.rows) : 0.0;
    for_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) {
        for (Size j = 0; j < dy.cols; ++j) {
          const auto c = static_cast<std::size_t>(j);
          const double centred =
              static_cast<double>(dy(i, j)) - share * (sum_dy[c] + normalised(i, j) * sum_dyn[c]);
          dx(i, j) += static_cast<Real>(gain(j) * s.rstd[c] * centred);
        }
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
