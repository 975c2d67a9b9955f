#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/healpix/rotation.hpp"

#include <memory>

namespace tarn::healpix {

enum class MapInterpolation { bilinear, nearest };
inline std::span<const std::string_view> enum_names(MapInterpolation) {
  static constexpr std::array<std::string_view, 2> names{"bilinear", "nearest"};
  return names;
}

inline namespace TARN_PRECISION {

/// `healpix-rotate-map`: y(p) = x at R^T v_p, interpolated between four pixels or taken from the nearest one.
///
/// Made once for a rotation; copying copies a handle. Linear in x. Time O(B P C).
class MapRotation {
 public:
  MapRotation(const Grid& grid, Ordering ordering, const Rotation& rotation,
              MapInterpolation interpolation = MapInterpolation::bilinear);
  /// x [B, P, C] or [B P, C] -> the same shape. Throws ShapeError unless x holds whole maps. The gradient
  /// runs back along the same weights.
  [[nodiscard]] Var operator()(Var x) const;
  /// One map [P, C], without a tape.
  void apply(ConstMatrixView x, MatrixView y) const;

 private:
  struct Links;
  std::shared_ptr<const Links> links_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn::healpix
