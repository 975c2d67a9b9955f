#pragma once

#include "tarn/graph/healpix/grid.hpp"

namespace tarn::healpix {

/// Places of the coefficients a_lm, 0 <= m <= l <= lmax, in an array ordered by m and then l.
struct HarmonicIndex {
  Size lmax = 0;
  [[nodiscard]] Size count() const { return (lmax + 1) * (lmax + 2) / 2; }
  [[nodiscard]] Size operator()(Size l, Size m) const { return m * (2 * lmax + 1 - m) / 2 + l; }
};

/// Rings that the recurrences work on together.
inline constexpr Size ring_lanes = 8;

/// The associated Legendre functions lambda_lm = Y_lm without exp(i m phi) on rings in pairs north and south
/// of the equator, eight northern rings at a time.
///
/// lambda_mm = (-1)^m sqrt((2m+1)!! / ((2m)!! 4 pi)) sin^m; lambda_lm by the recurrence in l. Numbers too
/// small for a double are carried with an exponent of their own until they are large enough. Immutable.
class Legendre {
 public:
  /// For the rings 1 .. 2 nside of a grid.
  Legendre(const Grid& grid, Size lmax);

  [[nodiscard]] Size lmax() const { return lmax_; }
  [[nodiscard]] Size num_rings() const { return num_rings_; }
  [[nodiscard]] Size num_blocks() const { return (num_rings_ + ring_lanes - 1) / ring_lanes; }

  using Lanes = std::array<double, ring_lanes>;
  /// Cosine and 1 / sin^2 of the colatitudes of a block; lanes beyond the last ring repeat it.
  [[nodiscard]] const Lanes& z(Size block) const { return z_[static_cast<std::size_t>(block)]; }
  [[nodiscard]] const Lanes& inverse_square(Size block) const {
    return inverse_square_[static_cast<std::size_t>(block)];
  }

  /// Calls f(l, lambda_lm, lambda_l-1,m) for l = m .. lmax on one block; before the first l the latter is
  /// zero. Functions below about 1e-300 may be given as zero.
  template <class F>
  void for_degrees(Size m, Size block, F f) const;

 private:
  struct Start {
    Lanes lambda;   ///< lambda_mm times 2^exponent
    Lanes inverse;  ///< 2^-exponent, 0 where that is no normal double
    std::array<int, ring_lanes> exponent;
    bool scaled;  ///< some exponent is not 0
  };
  [[nodiscard]] Start start(Size m, Size block) const;
  /// Moves part of the exponents into numbers that have grown.
  static void rescale(Lanes& previous, Lanes& current, Start& s);

  Size lmax_, num_rings_;
  std::vector<Lanes> z_, inverse_square_, log_sine_;
  std::vector<double> log_factor_;  ///< log2 of |lambda_mm| / sin^m
  std::vector<std::array<double, 2>> steps_;
};

template <class F>
void Legendre::for_degrees(Size m, Size block, F f) const {
  Start s = start(m, block);
  const Lanes& cosine = z(block);
  Lanes previous{}, current = s.lambda, shown = current, shown_before{};
  const HarmonicIndex index{lmax_};
  for (Size l = m;; ++l) {
    if (s.scaled) {
      for (std::size_t i = 0; i < ring_lanes; ++i) {
        shown[i] = current[i] * s.inverse[i];
        shown_before[i] = previous[i] * s.inverse[i];
      }
      f(l, shown, shown_before);
    } else {
      f(l, current, previous);
    }
    if (l == lmax_) return;
    const auto [rise, fall] = steps_[static_cast<std::size_t>(index(l + 1, m))];
    for (std::size_t i = 0; i < ring_lanes; ++i) {
      const double next = rise * cosine[i] * current[i] - fall * previous[i];
      previous[i] = current[i];
      current[i] = next;
    }
    if (s.scaled) rescale(previous, current, s);
  }
}

}  // namespace tarn::healpix
