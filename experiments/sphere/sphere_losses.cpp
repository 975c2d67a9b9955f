#include "tarn/experiments/sphere/sphere_losses.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

ConstMatrixView scalar(Tape& tape, double value) {
  const MatrixView y = tape.allocate({1});
  y.data[0] = static_cast<Real>(value);
  return y;
}

void require_labels(Var logits, std::span<const Size> labels) {
  const ConstMatrixView z = logits.value();
  if (static_cast<Size>(labels.size()) != z.rows) {
    throw ShapeError(fmt::format("softmax-squared-error: got {} labels for logits {}; expected one a row",
                                 labels.size(), logits.shape().text()));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= 0 && labels[i] < z.cols) continue;
    throw ValueError(fmt::format("softmax-squared-error: label {} is {}; expected a class from 0 to {}", i,
                                 labels[i], z.cols - 1));
  }
}

/// Softmax of a row, in double.
void softmax_row(std::span<const Real> z, std::span<double> p) {
  const auto largest = static_cast<double>(*std::max_element(z.begin(), z.end()));
  double sum = 0;
  for (std::size_t j = 0; j < z.size(); ++j) sum += p[j] = std::exp(static_cast<double>(z[j]) - largest);
  for (double& v : p) v /= sum;
}

}  // namespace

Var softmax_squared_error(Var logits, std::span<const Size> labels) {
  require_labels(logits, labels);
  Tape& tape = logits.tape();
  const ConstMatrixView z = logits.value();
  const auto classes = static_cast<std::size_t>(z.cols);
  const std::span<double> kept = tape.allocate_array<double>(z.size());
  const std::span<Size> own = tape.allocate_array<Size>(z.rows);
  std::copy(labels.begin(), labels.end(), own.begin());
  const auto row = [=](Size i) { return kept.subspan(static_cast<std::size_t>(i) * classes, classes); };
  const auto target = [=](Size i, std::size_t j) {
    return own[static_cast<std::size_t>(i)] == static_cast<Size>(j) ? 1.0 : 0.0;
  };
  double total = 0;
  for (Size i = 0; i < z.rows; ++i) {
    softmax_row(z.row_span(i), row(i));
    for (std::size_t j = 0; j < classes; ++j) total += std::pow(row(i)[j] - target(i, j), 2);
  }
  const double share = z.size() > 0 ? 1 / static_cast<double>(z.size()) : 0;
  return tape.record(
      "softmax_squared_error", {1}, scalar(tape, total * share), {logits}, [=, &tape](ConstMatrixView dy) {
        const MatrixView dz = tape.grad(logits);
        const double g = 2 * share * static_cast<double>(dy.data[0]);
        for (Size i = 0; i < z.rows; ++i) {
          const std::span<const double> p = row(i);
          double mean = 0;
          for (std::size_t j = 0; j < classes; ++j) mean += p[j] * (p[j] - target(i, j));
          for (std::size_t j = 0; j < classes; ++j) {
            dz(i, static_cast<Size>(j)) += static_cast<Real>(g * p[j] * (p[j] - target(i, j) - mean));
          }
        }
      });
}

Var moment_loss(Var y, std::span<const double> targets) {
  const ConstMatrixView z = y.value();
  const Size count = z.cols / 2;
  if (z.cols % 2 != 0 || static_cast<Size>(targets.size()) != z.rows * count) {
    throw ShapeError(
        fmt::format("moment-loss: got {} targets for {}; expected one for each mean, with as many "
                    "deviations behind them",
                    targets.size(), y.shape().text()));
  }
  Tape& tape = y.tape();
  const std::span<double> kept = tape.allocate_array<double>(static_cast<Size>(targets.size()));
  std::copy(targets.begin(), targets.end(), kept.begin());
  const auto error = [=](Size i, Size t) {
    return kept[static_cast<std::size_t>(i * count + t)] - static_cast<double>(z(i, t));
  };
  const auto deviation = [=](Size i, Size t) { return static_cast<double>(z(i, count + t)); };
  double total = 0;
  for (Size i = 0; i < z.rows; ++i) {
    for (Size t = 0; t < count; ++t) {
      const double square = error(i, t) * error(i, t), rest = square - deviation(i, t) * deviation(i, t);
      total += square + rest * rest;
    }
  }
  const double share = z.rows > 0 ? 1 / static_cast<double>(z.rows) : 0;
  return tape.record("moment_loss", {1}, scalar(tape, total * share), {y}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dz = tape.grad(y);
    const double g = share * static_cast<double>(dy.data[0]);
    for (Size i = 0; i < z.rows; ++i) {
      for (Size t = 0; t < count; ++t) {
        const double e = error(i, t), s = deviation(i, t), rest = e * e - s * s;
        dz(i, t) += static_cast<Real>(g * (-2 * e - 4 * rest * e));
        dz(i, count + t) += static_cast<Real>(g * -4 * rest * s);
      }
    }
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
