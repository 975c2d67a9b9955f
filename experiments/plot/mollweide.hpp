#pragma once

#include "tarn/experiments/plot/image.hpp"
#include "tarn/graph/healpix/sky.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn::plot {

/// Point of the Mollweide projection that a direction has: x in [-1, 1] with the longitude growing to the
/// left, as the sky is seen from inside, y in [-1, 1] with the north on top. And back; nothing outside the
/// ellipse. Pixels of equal area stay so.
[[nodiscard]] std::array<double, 2> mollweide(const healpix::Angles& direction);
[[nodiscard]] std::optional<healpix::Angles> inverse_mollweide(double x, double y);

enum class MapColours { sequential, diverging };

/// One map: a value per row of its sky; what it lacks, and what is not finite, is grey.
struct MapPanel {
  std::string title;
  const healpix::Sky* sky = nullptr;
  std::vector<double> values;
  MapColours colours = MapColours::diverging;  ///< diverging: symmetric about zero
  /// Value of the strongest colour (and of the weakest for sequential ones); the map's own without one.
  std::optional<double> limit{};
};

/// One map, `width` x `width` / 2 pixels, white outside the ellipse. Throws ShapeError unless there is a
/// value for each pixel of the sky.
[[nodiscard]] Image draw_map(const MapPanel& panel, Size width = 400);

/// Maps in rows of `columns`, each with its title and a bar of its colours.
[[nodiscard]] std::string draw_maps(const std::string& title, const std::vector<MapPanel>& panels,
                                    Size columns);

}  // namespace tarn::plot
