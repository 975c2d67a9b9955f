#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/graph/healpix/sky.hpp"

#include <optional>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// A layer that takes maps on the sphere to maps: x [B, P, in] or [B P, in], channels last, pixels in the
/// layer's own ordering. Which one that is belongs to the layer: a map in another is not recognised by its
/// numbers.
class SphereLayer : public Module {
 public:
  /// Throws ShapeError if x does not hold whole maps of `input_sky`.
  [[nodiscard]] virtual Var forward(Var x) = 0;
  [[nodiscard]] virtual const healpix::Sky& input_sky() const = 0;
  [[nodiscard]] virtual const healpix::Sky& output_sky() const = 0;
};

/// All layers on the sphere by name.
[[nodiscard]] Registry<SphereLayer>& sphere_layers();
void register_sphere_layers(Registry<SphereLayer>& registry);

}  // namespace TARN_PRECISION

namespace healpix {
/// The options that say which pixels a layer works on.
struct SkyOptions {
  Size nside = 1;
  Ordering ordering = Ordering::nest;
  std::optional<std::vector<Size>> pixels;  ///< of a partial sky, ascending; not set: all

  void fields(Fields& f);
  /// Throws ValueError, naming `where`.
  [[nodiscard]] Sky sky(std::string_view where) const;
};
}  // namespace healpix

}  // namespace tarn
