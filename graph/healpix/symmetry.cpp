#include "tarn/graph/healpix/symmetry.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"

#include <fmt/format.h>

namespace tarn::healpix {

namespace {

/// The pixel that the result at p shows, one symmetry after the other.
FacePixel source_of(Size nside, FacePixel p, const Symmetry& s) {
  const Size band = p.face / 4;
  p.face = 4 * band + (p.face - s.quarter_turns + 4) % 4;
  if (s.mirror_phi) {
    const Size g = p.face % 4;
    p = {p.y, p.x, 4 * band + (band == 1 ? (4 - g) % 4 : 3 - g)};
  }
  if (s.mirror_theta) p = {nside - 1 - p.y, nside - 1 - p.x, 4 * (2 - band) + p.face % 4};
  return p;
}

}  // namespace

std::vector<Size> symmetry_permutation(const Grid& grid, Ordering ordering, const Symmetry& symmetry) {
  if (symmetry.quarter_turns < 0 || symmetry.quarter_turns > 3) {
    throw ValueError(fmt::format("healpix-symmetry: {} quarter turns; expected a number from 0 to 3",
                                 symmetry.quarter_turns));
  }
  std::vector<Size> permutation(static_cast<std::size_t>(grid.num_pixels()));
  for_blocks(grid.num_pixels(), 4096, [&](Size begin, Size end) {
    for (Size p = begin; p < end; ++p) {
      const FacePixel from = source_of(grid.nside(), grid.face_pixel(p, ordering), symmetry);
      permutation[static_cast<std::size_t>(p)] = grid.number(from, ordering);
    }
  });
  return permutation;
}

Symmetry random_turn(const Rng& rng) {
  return {.quarter_turns = rng.below(4, 0)};
}

Symmetry random_symmetry(const Rng& rng) {
  const Size choice = rng.below(16, 0);
  return {.quarter_turns = choice % 4, .mirror_phi = choice / 4 % 2 == 1, .mirror_theta = choice / 8 == 1};
}

}  // namespace tarn::healpix
