#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <optional>

namespace tarn {

/// Bounds of the rows, and of the mean of the powers before the root.
struct PowerMeanBounds {
  std::optional<double> low;   ///< none: x must not be negative
  std::optional<double> high;  ///< none: no upper bound
  bool on_mean = false;        ///< clamp the mean of the powers too
};

inline namespace TARN_PRECISION {

/// Generalised mean per feature: y_b = (1/n sum_{i in b} z_i^p)^{1/p}, z = clamp(x, low, high).
///
/// x [N, D]; p [G], G a divisor of D, one exponent per run of D/G neighbouring features, or not given for the
/// constant `value` -> [B, D]. Computed as exp((log sum exp(p ln z) - ln n) / p), which neither overflows nor
/// underflows for any p. The gradient passes where low <= x <= high and, with on_mean, where the mean lies
/// inside the bounds. Without a low bound a column whose mean is 0 gives 0 with zero gradient, and a zero
/// inside another column gets that of p = 1 or none. An empty set gives zeros. Time O(N D) logarithms and
/// exponentials, forward and backward; memory beyond the result 2 B D. Radenovic et al. 2018, arXiv
/// 1711.02512.
Var segment_power_mean(Var x, Var p, double value, const PowerMeanBounds& bounds, const Segments& sets);

}  // namespace TARN_PRECISION
}  // namespace tarn
