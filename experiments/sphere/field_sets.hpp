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
struct FieldSetOptions {
  FieldKind kind = FieldKind::peak;
  Size maps = 100;
  Size nside = 16;
  std::optional<Size> lmax;
  double low = 5;
  double high = 20;
  double sigma_p = 5;
  double floor = 1e-5;
  double noise = 0;
  double beam = 0;
  std::vector<double> pixel_window;
  double f_sky = 1;
  SkyMask mask = SkyMask::cap;
  std::string part = "train";
  Size seed = 0;

  void fields(Fields& f);
};

/// The maps that `tarn run sphere-peak` or `sphere-eb` would make with these options for this part, with the
/// numbers that are asked of a network as targets. Map i depends on seed, part and i alone. Throws
/// ConfigError.
[[nodiscard]] SkyMaps generate_fields(const FieldSetOptions& options);

}  // namespace tarn
