#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <string_view>

namespace tarn {

/// Names of the ten outlines: disc, square, triangle, star, cross, ring, crescent, L, heart, arrow.
[[nodiscard]] std::span<const std::string_view> silhouette_names();

/// Whether a point lies inside an outline, which fits the square [-1, 1] x [-1, 1].
[[nodiscard]] bool inside_silhouette(Size silhouette, double x, double y);

}  // namespace tarn
