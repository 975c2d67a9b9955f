#pragma once

#include "tarn/core/tensor.hpp"
#include "tarn/graph/healpix/grid.hpp"

namespace tarn::healpix {
inline namespace TARN_PRECISION {

/// What map files write where nothing was measured.
inline constexpr double unseen = -1.6375e30;
/// Within a thousandth of a percent, as a file in single precision gives it.
[[nodiscard]] bool is_unseen(Real value);

/// `healpix-degrade`: a map [P, C] at a coarser resolution, the mean of the pixels inside each that are not
/// `unseen`, times (nside_out / nside_in)^power; `unseen` where there is none. Throws ShapeError unless the
/// map has the pixels of nside_in, ValueError unless nside_out is a power of two up to nside_in.
[[nodiscard]] Tensor degrade(const Tensor& map, Size nside_in, Size nside_out, Ordering ordering,
                             double power = 0);
/// `healpix-upgrade`: a map [P, C] at a finer resolution, the value of each pixel in all inside it, times
/// (nside_out / nside_in)^power; `unseen` stays as it is. Throws as `degrade` does, nside_out at least
/// nside_in.
[[nodiscard]] Tensor upgrade(const Tensor& map, Size nside_in, Size nside_out, Ordering ordering,
                             double power = 0);

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
