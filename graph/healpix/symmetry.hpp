#pragma once

#include "tarn/core/rng.hpp"
#include "tarn/graph/healpix/grid.hpp"

namespace tarn::healpix {

/// One of the 16 exact symmetries of the pixelisation that the turns about the axis by quarters and the two
/// mirrors generate. They act in the order mirror_theta, mirror_phi, turn.
struct Symmetry {
  Size quarter_turns = 0;     ///< 0 .. 3, by +90 degrees each
  bool mirror_phi = false;    ///< phi -> -phi
  bool mirror_theta = false;  ///< theta -> pi - theta
  /// A single mirror changes the sign of U in a pair of Stokes parameters Q, U.
  [[nodiscard]] bool flips_u() const { return mirror_phi != mirror_theta; }
  friend bool operator==(const Symmetry&, const Symmetry&) = default;
};

/// Where each pixel of the result comes from: out[p] = in[permutation[p]], [P]. Integers alone decide. Throws
/// ValueError for quarter_turns outside 0 .. 3.
[[nodiscard]] std::vector<Size> symmetry_permutation(const Grid& grid, Ordering ordering,
                                                     const Symmetry& symmetry);

/// What happens to the maps of a training set.
enum class Augment { none, rot90, symmetry, rotation };
inline std::span<const std::string_view> enum_names(Augment) {
  static constexpr std::array<std::string_view, 4> names{"none", "rot90", "symmetry", "rotation"};
  return names;
}

/// Uniform over the four turns, or over all 16.
[[nodiscard]] Symmetry random_turn(const Rng& rng);
[[nodiscard]] Symmetry random_symmetry(const Rng& rng);

}  // namespace tarn::healpix
