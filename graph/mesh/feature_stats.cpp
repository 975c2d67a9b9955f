#include "tarn/graph/mesh/feature_stats.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

constexpr double smallest_std = 10 * static_cast<double>(std::numeric_limits<float>::epsilon());

/// Sum of f(x_ij, j) over all rows, for each channel.
template <class F>
std::vector<double> channel_sums(std::span<const ConstMatrixView> blocks, std::size_t width, F f) {
  std::vector<double> sums(width, 0);
  for (const ConstMatrixView& x : blocks) {
    for (Size i = 0; i < x.rows; ++i) {
      for (Size j = 0; j < x.cols; ++j) {
        const auto c = static_cast<std::size_t>(j);
        sums[c] += f(static_cast<double>(x(i, j)), c);
      }
    }
  }
  return sums;
}

}  // namespace

ChannelStats channel_stats(std::string_view where, std::span<const ConstMatrixView> blocks) {
  Size rows = 0;
  const Size width = blocks.empty() ? 0 : blocks[0].cols;
  for (const ConstMatrixView& x : blocks) {
    rows += x.rows;
    if (x.cols == width) continue;
    throw ShapeError(fmt::format("{}: blocks are {} and {} wide; expected one width", where, width, x.cols));
  }
  if (rows < 2)
    throw ValueError(fmt::format("{}: {} rows; expected at least 2 for a deviation", where, rows));
  const auto n = static_cast<double>(rows);
  ChannelStats stats;
  stats.mean = channel_sums(blocks, static_cast<std::size_t>(width), [](double v, std::size_t) { return v; });
  for (double& m : stats.mean) m /= n;
  stats.std = channel_sums(blocks, static_cast<std::size_t>(width), [&](double v, std::size_t c) {
    return (v - stats.mean[c]) * (v - stats.mean[c]);
  });
  for (std::size_t c = 0; c < stats.std.size(); ++c) {
    stats.std[c] = std::sqrt(stats.std[c] / (n - 1));
    if (stats.std[c] > smallest_std) continue;
    throw ValueError(fmt::format(
        "{}: channel {} has standard deviation {:.3g}; expected more than {:.2g}: a constant channel "
        "says nothing",
        where, c, stats.std[c], smallest_std));
  }
  return stats;
}

void standardise(std::string_view where, MatrixView x, const ChannelStats& stats) {
  if (static_cast<std::size_t>(x.cols) != stats.mean.size()) {
    throw ShapeError(
        fmt::format("{}: features are {} wide but statistics cover {} channels; expected the same", where,
                    x.cols, stats.mean.size()));
  }
  for (Size i = 0; i < x.rows; ++i) {
    for (Size j = 0; j < x.cols; ++j) {
      const auto c = static_cast<std::size_t>(j);
      x(i, j) = static_cast<Real>((static_cast<double>(x(i, j)) - stats.mean[c]) / stats.std[c]);
    }
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
