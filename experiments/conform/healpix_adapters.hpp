#pragma once

#include "tarn/experiments/conform/adapters.hpp"

#include <map>

namespace tarn {
inline namespace TARN_PRECISION {

/// Functions that golden cases name, by that name.
using NamedAdapters = std::map<std::string, void (*)(CaseRun&)>;

[[nodiscard]] const NamedAdapters& healpix_geometry_adapters();
[[nodiscard]] const NamedAdapters& healpix_layer_adapters();
[[nodiscard]] const NamedAdapters& healpix_field_adapters();

/// One adapter per group of functions on the sphere.
[[nodiscard]] std::vector<Adapter> healpix_adapters();

}  // namespace TARN_PRECISION
}  // namespace tarn
