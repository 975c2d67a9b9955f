#pragma once

#include "tarn/core/real.hpp"
#include "tarn/core/rng.hpp"

#include <span>

namespace tarn {
inline namespace TARN_PRECISION {

/// Factors of dropout: 0 with probability p, else 1 / (1 - p), each a function of (stream, position) alone,
/// so that the backward pass draws them again instead of keeping them. p in [0, 1); for p = 0 every factor
/// is 1.
class DropoutFactors {
 public:
  DropoutFactors() = default;
  DropoutFactors(const Rng& rng, double p);

  [[nodiscard]] Real operator()(Size position) const {
    return (rng_.bits(static_cast<std::uint64_t>(position)) >> 11U) < dropped_below_ ? Real{0} : kept_;
  }
  /// The factors at `first`, `first` + 1, ...: the same numbers, drawn eight blocks of Philox at a time.
  void write(Size first, std::span<Real> into) const;

 private:
  Rng rng_{};
  std::uint64_t dropped_below_ = 0;  ///< of 53 bits
  Real kept_ = 1;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
