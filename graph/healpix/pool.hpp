#pragma once

#include "tarn/graph/healpix/hierarchy.hpp"
#include "tarn/graph/healpix/nine_point.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

#include <cstdint>

namespace tarn {

struct HealpixPoolOptions {
  Size nside_in = 1;
  Size nside_out = 1;
  healpix::Ordering ordering = healpix::Ordering::nest;
  healpix::PoolMode mode = healpix::PoolMode::max;
  std::optional<std::vector<Size>> pixels;  ///< of a partial sky at nside_in, ascending; not set: all
  void fields(Fields& f);
};

inline namespace TARN_PRECISION {

struct PooledMaps {
  Var y;                         ///< [B, P_out, C]
  std::span<const Size> argmax;  ///< of `max`: [B, P_out, C] input pixel, -1 for a masked group; on the tape
  std::vector<std::uint8_t> mask;  ///< with a mask: [P_out], 1 where any child was kept
};

/// `healpix-pool`: maximum, mean or sum over the descendants of each pixel of a coarser map, in the ordering
/// of the input. x [B, P_in, C] -> [B, P_out, C]; nside_out = nside_in gives the same numbers.
///
/// The maximum goes to the first in NEST order of equal children, and so does its gradient; a NaN in a group
/// gives NaN. Sums are pairwise, so that their error does not grow with the group. A partial sky pools what
/// it has. Time O(B P_in C).
class HealpixPool final : public SphereLayer {
 public:
  using Options = HealpixPoolOptions;
  /// Throws ValueError for options that do not fit.
  explicit HealpixPool(const Options& options);
  Var forward(Var x) override { return pool(x).y; }
  /// With a mask [P_in] only pixels of mask 1 count: numbers under a 0 are not read, the mean divides by how
  /// many are kept, a group without any gives 0 with gradient 0. (Without one, zeros in a map count as
  /// zeros.) Throws ShapeError unless the mask has an entry per row of a map, ValueError for one that is not
  /// 0 or 1.
  [[nodiscard]] PooledMaps pool(Var x, std::span<const std::uint8_t> mask = {}) const;
  const healpix::Sky& input_sky() const override { return hierarchy_.fine(); }
  const healpix::Sky& output_sky() const override { return hierarchy_.coarse(); }
  [[nodiscard]] const healpix::Hierarchy& hierarchy() const { return hierarchy_; }

 private:
  healpix::Hierarchy hierarchy_;
  healpix::PoolMode mode_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
