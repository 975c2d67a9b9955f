#pragma once

#include "tarn/core/view.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace tarn {

/// Mean and standard deviation of each channel, in double.
struct ChannelStats {
  std::vector<double> mean;
  std::vector<double> std;
};

inline namespace TARN_PRECISION {

/// Over the rows of all blocks together; the deviation has divisor n - 1. Two passes in double.
///
/// Throws ValueError, naming `where`, for fewer than two rows and for a channel whose deviation is at most 10
/// times the machine epsilon of float32: a constant one. Blocks must have one width (ShapeError).
[[nodiscard]] ChannelStats channel_stats(std::string_view where, std::span<const ConstMatrixView> blocks);

/// (x - mean) / std, channel by channel, in place. Throws ShapeError, naming `where`, if the widths differ.
void standardise(std::string_view where, MatrixView x, const ChannelStats& stats);

}  // namespace TARN_PRECISION
}  // namespace tarn
