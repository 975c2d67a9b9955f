#include "tarn/experiments/plot/mollweide.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/plot/svg.hpp"
#include "tarn/experiments/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn::plot {

namespace {

constexpr double pi = std::numbers::pi;
constexpr Colour missing{190, 190, 190};
constexpr Size bar_shades = 128;

/// Blue over white to red, after ColorBrewer's RdBu.
Colour blue_to_red(double t) {
  constexpr std::array<std::array<double, 3>, 5> anchors = {
      {{5, 48, 97}, {103, 169, 207}, {247, 247, 247}, {239, 138, 98}, {103, 0, 31}}};
  const double place = std::clamp(t, 0.0, 1.0) * (anchors.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(place), anchors.size() - 2);
  Colour colour{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double v =
        anchors[low][i] + (place - static_cast<double>(low)) * (anchors[low + 1][i] - anchors[low][i]);
    colour[i] = static_cast<std::uint8_t>(std::lround(v));
  }
  return colour;
}

Colour parsed(std::string_view hex) {
  Colour colour{};
  for (std::size_t i = 0; i < 3; ++i) {
    colour[i] = static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(1 + 2 * i, 2)), nullptr, 16));
  }
  return colour;
}

Colour shade(MapColours colours, double t) {
  return colours == MapColours::diverging ? blue_to_red(t) : parsed(viridis(t));
}

struct Range {
  double low = 0, high = 1;
  [[nodiscard]] double share(double v) const { return high > low ? (v - low) / (high - low) : 0.5; }
};

Range range_of(const MapPanel& panel) {
  double low = 0, high = 0;
  for (const double v : panel.values) {
    if (!std::isfinite(v)) continue;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  if (panel.colours == MapColours::sequential) return {low, panel.limit.value_or(high)};
  const double most = panel.limit.value_or(std::max(-low, high));
  return {-most, most};
}

Colour colour_of(double value, const Range& range, MapColours colours) {
  return std::isfinite(value) ? shade(colours, range.share(value)) : missing;
}

void require_values(const MapPanel& panel) {
  if (panel.sky != nullptr && static_cast<Size>(panel.values.size()) == panel.sky->size()) return;
  throw ShapeError(fmt::format("mollweide: {} values for a sky of {} pixels; expected one each",
                               panel.values.size(), panel.sky == nullptr ? 0 : panel.sky->size()));
}

/// All shades in one row.
Image colour_bar(MapColours colours) {
  Image bar(bar_shades, 1);
  for (Size i = 0; i < bar_shades; ++i) {
    bar.at(i, 0) = shade(colours, static_cast<double>(i) / static_cast<double>(bar_shades - 1));
  }
  return bar;
}

}  // namespace

std::array<double, 2> mollweide(const healpix::Angles& direction) {
  const double latitude = pi / 2 - direction.theta;
  double t = latitude;
  // Newton's steps for 2 t + sin 2 t = pi sin(latitude); at the poles, where they stall, t is the latitude.
  for (int i = 0; i < 100 && std::abs(std::abs(latitude) - pi / 2) > 1e-9; ++i) {
    const double step = (2 * t + std::sin(2 * t) - pi * std::sin(latitude)) / (2 + 2 * std::cos(2 * t));
    t -= step;
    if (std::abs(step) < 1e-14) break;
  }
  const double longitude = std::remainder(direction.phi, 2 * pi);
  return {-longitude / pi * std::cos(t), std::sin(t)};
}

std::optional<healpix::Angles> inverse_mollweide(double x, double y) {
  if (!(x * x + y * y < 1)) return std::nullopt;
  const double t = std::asin(y);
  const double sine = std::clamp((2 * t + std::sin(2 * t)) / pi, -1.0, 1.0);
  return healpix::Angles{pi / 2 - std::asin(sine), -x * pi / std::cos(t)};
}

Image draw_map(const MapPanel& panel, Size width) {
  require_values(panel);
  const healpix::Sky& sky = *panel.sky;
  const Range range = range_of(panel);
  Image image(width, std::max<Size>(width / 2, 1));
  for (Size j = 0; j < image.height; ++j) {
    const double y = 1 - (static_cast<double>(j) + 0.5) * 2 / static_cast<double>(image.height);
    for (Size i = 0; i < width; ++i) {
      const double x = (static_cast<double>(i) + 0.5) * 2 / static_cast<double>(width) - 1;
      const auto direction = inverse_mollweide(x, y);
      if (!direction) continue;
      const Size row = sky.row(sky.grid().pixel_at(*direction, sky.ordering()));
      image.at(i, j) =
          row < 0 ? missing : colour_of(panel.values[static_cast<std::size_t>(row)], range, panel.colours);
    }
  }
  return image;
}

std::string draw_maps(const std::string& title, const std::vector<MapPanel>& panels, Size columns) {
  constexpr double map_width = 300, map_height = 150, gap = 16, head = 34, caption = 18, bar = 26;
  const auto count = static_cast<Size>(panels.size());
  const Size rows = (count + columns - 1) / columns;
  const double cell = map_height + caption + bar;
  Svg svg(static_cast<double>(columns) * (map_width + gap) + gap,
          head + static_cast<double>(rows) * (cell + gap), title);
  svg.text({gap, 22}, title, {.size = 14, .strong = true});
  for (Size k = 0; k < count; ++k) {
    const MapPanel& panel = panels[static_cast<std::size_t>(k)];
    const double left = gap + static_cast<double>(k % columns) * (map_width + gap),
                 top = head + static_cast<double>(k / columns) * (cell + gap);
    svg.text({left + map_width / 2, top + 12}, panel.title, {.size = 12, .anchor = Anchor::middle});
    svg.image({left, top + caption}, map_width, map_height, png_bytes(draw_map(panel)));
    const Range range = range_of(panel);
    const double bar_top = top + caption + map_height + 6;
    svg.image({left + 60, bar_top}, map_width - 120, 8, png_bytes(colour_bar(panel.colours)));
    svg.text({left + 54, bar_top + 8}, format_number(range.low), {.size = 10, .anchor = Anchor::end});
    svg.text({left + map_width - 54, bar_top + 8}, format_number(range.high), {.size = 10});
  }
  return svg.document();
}

}  // namespace tarn::plot
