#pragma once

#include "tarn/datasets/sphere/sky_maps.hpp"
#include "tarn/experiments/sphere/sphere_options.hpp"

namespace tarn {

/// Which fields `tarn generate fields` makes: a temperature whose spectrum has a peak, or Q and U with peaks
/// of E and B.
enum class FieldKind { peak, eb };
inline std::span<const std::string_view> enum_names(FieldKind) {
  static constexpr std::array<std::string_view, 2> names{"peak", "eb"};
  return names;
}

/// Options of `tarn generate fields`.
struct FieldSetOptions : FieldRecipe {
  FieldKind kind = FieldKind::peak;
  Size maps = 100;
  double f_sky = 1;
  double noise = 0;
  std::string part = "train";

  void fields(Fields& f);
};

/// The maps that `tarn run sphere-peak` or `sphere-eb` would make with these options for this part, with the
/// numbers that are asked of a network as targets. Map i depends on seed, part and i alone. Throws
/// ConfigError.
[[nodiscard]] SkyMaps generate_fields(const FieldSetOptions& options);

}  // namespace tarn
