#include "tarn/graph/healpix/sphere_layer.hpp"

namespace tarn::healpix {

void SkyOptions::fields(Fields& f) {
  f("nside", nside, at_least(1), "resolution of the maps, a power of two");
  f("ordering", ordering, "how the pixels of the maps are numbered");
  f("pixels", pixels, at_least(0), "pixels of a partial sky, ascending; null: all");
}

Sky SkyOptions::sky(std::string_view where) const {
  const Grid grid(nside, where);
  return pixels ? Sky(grid, ordering, *pixels, where) : Sky(grid, ordering);
}

}  // namespace tarn::healpix
