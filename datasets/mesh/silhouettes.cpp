#include "tarn/datasets/mesh/silhouettes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

bool in_disc(double x, double y, double radius) {
  return x * x + y * y <= radius * radius;
}

bool in_box(double x, double y, double x0, double x1, double y0, double y1) {
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
}

/// Upright, tip at (0, 1), base from (-w, -h) to (w, -h).
bool in_triangle(double x, double y, double w, double h) {
  return y >= -h && std::abs(x) <= w * (1 - y) / (1 + h);
}

/// Five tips on the unit circle, corners between at 0.45.
bool in_star(double x, double y) {
  constexpr double inner = 0.45;
  const double sector = std::numbers::pi / 5;
  double angle = std::fmod(std::atan2(x, y) + 4 * std::numbers::pi, 2 * sector);
  if (angle > sector) angle = 2 * sector - angle;  // from a tip (0) to the corner beside it
  // The side runs from (1, 0) to inner (cos, sin) of a sector; inside is where the origin is.
  const double px = std::hypot(x, y) * std::cos(angle), py = std::hypot(x, y) * std::sin(angle);
  const double sx = inner * std::cos(sector) - 1, sy = inner * std::sin(sector);
  return sx * py - sy * (px - 1) >= 0;
}

bool in_cross(double x, double y) {
  constexpr double arm = 0.33;
  return in_box(x, y, -1, 1, -arm, arm) || in_box(x, y, -arm, arm, -1, 1);
}

bool in_heart(double x, double y) {
  return in_disc(x - 0.48, y - 0.42, 0.52) || in_disc(x + 0.48, y - 0.42, 0.52) ||
         in_triangle(x, -y, 0.93, 0.25);
}

bool in_arrow(double x, double y) {
  const bool head = y >= 0 && std::abs(x) <= 0.9 * (1 - y);
  return head || in_box(x, y, -0.3, 0.3, -1, 0);
}

}  // namespace

std::span<const std::string_view> silhouette_names() {
  static constexpr std::array<std::string_view, 10> names{"disc", "square",   "triangle", "star",  "cross",
                                                          "ring", "crescent", "L",        "heart", "arrow"};
  return names;
}

bool inside_silhouette(Size silhouette, double x, double y) {
  switch (silhouette) {
    case 0:
      return in_disc(x, y, 1);
    case 1:
      return in_box(x, y, -0.85, 0.85, -0.85, 0.85);
    case 2:
      return in_triangle(x, y, 0.95, 0.7);
    case 3:
      return in_star(x, y);
    case 4:
      return in_cross(x, y);
    case 5:
      return in_disc(x, y, 1) && !in_disc(x, y, 0.5);
    case 6:
      return in_disc(x, y, 1) && !in_disc(x - 0.5, y, 0.8);
    case 7:
      return in_box(x, y, -0.8, -0.2, -1, 1) || in_box(x, y, -0.8, 0.8, -1, -0.4);
    case 8:
      return in_heart(x, y);
    default:
      return in_arrow(x, y);
  }
}

}  // namespace tarn
