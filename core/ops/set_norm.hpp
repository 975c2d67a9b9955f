#pragma once

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/segments.hpp"

#include <span>

namespace tarn {

/// Over what the mean m and the mean square s of a set of n rows and C channels are taken.
enum class NormOver {
  channel,  ///< m and s of each channel: batch norm, instance norm, graph norm
  set,      ///< one m and one s over all n C values: layer norm of a graph
  lengths   ///< m of each channel, s = mean of |u_i|^2 over the rows: pair norm
};

/// How `normalize_sets` treats the moments: as functions of x, through which gradients pass, or as given.
enum class MomentGradient { through, none };

inline namespace TARN_PRECISION {

/// Mean and biased variance of each channel inside each set, [B * C]; on the tape until it is reset.
struct ChannelMoments {
  std::span<double> mean;
  std::span<double> variance;
};

/// Moments of x [N, C] in one read, in double. Sums are taken about the first row of each set, which bounds
/// the relative error of a variance by n times that of a double. An empty set gets zeros.
[[nodiscard]] ChannelMoments channel_moments(Tape& tape, ConstMatrixView x, const Segments& sets);

struct SetNorm {
  Var weight{};      ///< [C], or not given: 1
  Var bias{};        ///< [C], or not given: 0
  Var mean_scale{};  ///< [C], or not given: 1; for NormOver::channel
  double scale = 1;
  double eps = 1e-5;
  NormOver over = NormOver::channel;
  MomentGradient gradient = MomentGradient::through;
  Activation activation = Activation::none;
};

/// Per set u = x - mean_scale m, y = scale weight u / sqrt(s + eps) + bias with s the mean of u^2, then
/// the activation, in the same pass where that is relu.
///
/// x [N, C], sets over its rows, their moments -> [N, C]; an empty set has no rows. One read of x and one
/// write; the backward pass reads x and dy (and y, where rectified) twice and writes dx once. Sums in double
/// over fixed runs of rows.
Var normalize_sets(Var x, const Segments& sets, const ChannelMoments& moments, const SetNorm& norm);
inline Var normalize_sets(Var x, const Segments& sets, const SetNorm& norm) {
  return normalize_sets(x, sets, channel_moments(x.tape(), x.value(), sets), norm);
}

/// x_i less the mean of its set, per channel.
Var centre_sets(Var x, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
