#pragma once

#include "tarn/datasets/mesh/polygon_soup.hpp"

#include <cmath>

namespace tarn {

/// A colour for part or cluster `number`: hues a golden angle apart, in turning lightness, so that neighbours
/// in number differ well and colours do not repeat soon.
[[nodiscard]] inline Colour part_colour(Size number) {
  const double turn = 0.07 + 0.61803398874989485 * static_cast<double>(number);
  const double hue = 6 * (turn - std::floor(turn));
  const double value = 0.95 - 0.15 * static_cast<double>(number % 3),
               saturation = 0.55 + 0.2 * static_cast<double>(number % 2);
  Colour colour;
  for (int c = 0; c < 3; ++c) {
    // The usual hexagon of hues: each channel rises, stays and falls a third of a turn apart.
    const double place = std::fmod(hue + 4.0 - 2.0 * c + 1.0 + 6.0, 6.0);
    const double level = std::fmin(std::fmax(std::fmin(place, 4.0 - place), 0.0), 1.0);
    colour[static_cast<std::size_t>(c)] =
        static_cast<std::uint8_t>(std::lround(255 * value * (1 - saturation * (1 - level))));
  }
  return colour;
}

}  // namespace tarn
