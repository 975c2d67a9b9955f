#pragma once

#include "tarn/graph/healpix/grid.hpp"

namespace tarn::healpix {

/// Four pixels and their weights, which sum to one.
struct Interpolation {
  std::array<Size, 4> pixels;  ///< two of the ring above, two of the ring below
  std::array<double, 4> weights;
};

/// Linear in theta between the two rings around a direction, and in phi within each ring; beyond the last
/// ring the mean of its four pixels stands for the pole. As healpy's get_interp_weights. Throws ValueError as
/// Grid::pixel_at does.
[[nodiscard]] Interpolation interpolate(const Grid& grid, const Angles& direction, Ordering ordering);

}  // namespace tarn::healpix
