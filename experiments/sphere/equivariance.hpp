#pragma once

#include "tarn/graph/healpix/rotate_map.hpp"
#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn {

/// How a map is turned by any rotation: its coefficients up to twice nside, or the field's own
/// degrees where those are more; or between pixels.
enum class Turning { harmonics, interpolation };
inline std::span<const std::string_view> enum_names(Turning) {
  static constexpr std::array<std::string_view, 2> names{"harmonics", "interpolation"};
  return names;
}

struct EquivarianceOptions {
  Size lmax = 0;    ///< degrees of the fields; 0: nside
  Size fields = 5;  ///< random fields, each with turns of its own
  Turning turning = Turning::harmonics;
  Size iterations = 10;  ///< of the analysis of what the layer gives
};

/// |layer(g x) - g layer(x)| / |layer(x)|, norms over fields, pixels and channels, in per cent.
struct EquivarianceErrors {
  double quarter = 0;    ///< g: turns by 90 degrees about the axis; exact on pixels
  double mirror = 0;     ///< g: mirrors and turns, exact on pixels
  double rotation = 0;   ///< g: uniform over all rotations
  double transform = 0;  ///< what turning a map by g costs without a layer: below it `rotation` says nothing
};

inline namespace TARN_PRECISION {

/// Measures a layer of one input channel on Gaussian fields of equal power C_l = 1 for 1 <= l <= lmax.
///
/// Fields and turns depend on `rng` alone. With `harmonics` the turned field is exact, and what the layer
/// gives is turned by its coefficients; `transform` is what their analysis leaves of it. With `interpolation`
/// both are turned by MapRotation, and `transform` is what a turn there and back leaves. Throws ShapeError
/// unless the layer keeps the full sky in NEST order. After Defferrard et al. 2020, arXiv 2012.15000,
/// section 4.
[[nodiscard]] EquivarianceErrors measure_equivariance(SphereLayer& layer, const EquivarianceOptions& options,
                                                      const Rng& rng);

}  // namespace TARN_PRECISION
}  // namespace tarn
