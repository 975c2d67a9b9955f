#include "tarn/experiments/conform/healpix_adapters.hpp"

namespace tarn {

namespace {

Adapter adapter_of(std::string family, const NamedAdapters& functions) {
  return {std::move(family),
          [&functions] {
            std::vector<std::string> names;
            for (const auto& [name, run] : functions) names.push_back(name);
            return names;
          },
          [&functions](CaseRun& run) { functions.at(run.golden().op)(run); }};
}

}  // namespace

inline namespace TARN_PRECISION {

std::vector<Adapter> healpix_adapters() {
  return {adapter_of("healpix geometry", healpix_geometry_adapters()),
          adapter_of("sphere layer", healpix_layer_adapters()),
          adapter_of("healpix field", healpix_field_adapters())};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
