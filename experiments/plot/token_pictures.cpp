#include "tarn/experiments/plot/token_pictures.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/plot/svg.hpp"
#include "tarn/experiments/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn::plot {

namespace {

constexpr std::string_view needle_colour = "#C00000";
constexpr std::string_view pooled_colour = "#0050B0";

bool contains(const std::vector<Size>& list, std::size_t i) {
  return std::find(list.begin(), list.end(), static_cast<Size>(i)) != list.end();
}

std::string_view colour_of(const Tokens& tokens, std::size_t i) {
  if (contains(tokens.needle, i)) return needle_colour;
  return contains(tokens.pooled, i) ? pooled_colour : "#444";
}

/// Long tokens are cut so that margins stay narrow.
std::string shown(const std::string& name) {
  if (text_width(name) <= 14) return name;
  std::string cut;
  Size width = 0;
  for (const char c : name) {
    width += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
    if (width > 13) break;
    cut += c;
  }
  return cut + "…";
}

/// Positions of labels that do not overlap, `pitch` pixels apart at least: marked tokens first, others where
/// there is room.
std::vector<std::size_t> labelled(const Tokens& tokens, double cell, double pitch) {
  std::vector<std::size_t> chosen;
  const auto room = [&](std::size_t i) {
    return std::all_of(chosen.begin(), chosen.end(), [&](std::size_t j) {
      return std::abs(static_cast<double>(i) - static_cast<double>(j)) * cell >= pitch;
    });
  };
  for (const bool marked : {true, false}) {
    for (std::size_t i = 0; i < tokens.names.size(); ++i) {
      const bool is_marked = contains(tokens.needle, i) || contains(tokens.pooled, i);
      if (is_marked == marked && room(i)) chosen.push_back(i);
    }
  }
  return chosen;
}

double label_margin(const Tokens& tokens, double size) {
  double widest = 0;
  for (const std::string& name : tokens.names) widest = std::max(widest, drawn_width(shown(name), size));
  return widest + 16;
}

/// All cells of one colour as one path, equal neighbours in a row joined: far smaller than a rectangle each.
void draw_cells(Svg& svg, const std::vector<std::vector<double>>& values, double low, double high,
                Point corner, double cell) {
  constexpr int num_levels = 64;
  std::array<std::string, num_levels> paths;
  const auto level = [&](double v) {
    const double share = high > low ? (v - low) / (high - low) : 0.5;
    return static_cast<std::size_t>(std::clamp(std::lround(share * (num_levels - 1)), 0L, num_levels - 1L));
  };
  for (std::size_t r = 0; r < values.size(); ++r) {
    for (std::size_t c = 0; c < values[r].size();) {
      std::size_t end = c + 1;
      const std::size_t here = level(values[r][c]);
      while (end < values[r].size() && level(values[r][end]) == here) ++end;
      paths[here] += fmt::format("M{} {}h{}v{}h-{}z", coordinate(corner.x + cell * static_cast<double>(c)),
                                 coordinate(corner.y + cell * static_cast<double>(r)),
                                 coordinate(cell * static_cast<double>(end - c)), coordinate(cell),
                                 coordinate(cell * static_cast<double>(end - c)));
      c = end;
    }
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].empty()) svg.path(paths[i], viridis(static_cast<double>(i) / (num_levels - 1)));
  }
}

void draw_colour_bar(Svg& svg, Point corner, double height, double low, double high) {
  constexpr int steps = 64;
  for (int i = 0; i < steps; ++i) {
    svg.rect({corner.x, corner.y + height * (steps - 1 - i) / steps}, 14, height / steps + 0.5,
             viridis(static_cast<double>(i) / (steps - 1)));
  }
  for (int i = 0; i <= 4; ++i) {
    const double y = corner.y + height * (4 - i) / 4;
    svg.text({corner.x + 20, y + 4}, format_fixed(low + (high - low) * i / 4, 2),
             {.size = 11, .colour = "#444"});
  }
}

}  // namespace

std::string draw_heat_map(const std::string& title, const Tokens& tokens,
                          const std::vector<std::vector<double>>& values) {
  const std::size_t n = tokens.names.size();
  const bool square = values.size() == n && std::all_of(values.begin(), values.end(),
                                                        [&](const auto& row) { return row.size() == n; });
  if (!square) {
    throw ShapeError(
        fmt::format("heat map: got {} rows for {} tokens; expected a square matrix, one row per token",
                    values.size(), n));
  }
  double low = 1, high = -1;
  for (const auto& row : values) {
    for (const double v : row) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  const double cell = std::clamp(620.0 / static_cast<double>(std::max<std::size_t>(n, 1)), 1.0, 22.0);
  constexpr double font = 10;
  const double margin = label_margin(tokens, font);
  const double side = cell * static_cast<double>(n);
  const Point corner{margin, 34};
  Svg svg(std::max(margin + side + 76, drawn_width(title, 15) + 24), corner.y + side + margin, title);
  svg.text({12, 20}, title, {.size = 14, .strong = true});
  draw_cells(svg, values, low, high, corner, cell);
  for (const std::size_t i : labelled(tokens, cell, font + 0.5)) {
    const double at = cell * (static_cast<double>(i) + 0.5);
    const std::string_view colour = colour_of(tokens, i);
    const bool strong = colour != "#444";
    svg.text({corner.x - 5, corner.y + at + 3.5}, shown(tokens.names[i]),
             {.size = font, .anchor = Anchor::end, .colour = colour, .strong = strong});
    svg.text({corner.x + at + 3.5, corner.y + side + 5}, shown(tokens.names[i]),
             {.size = font, .anchor = Anchor::end, .colour = colour, .rotate = -90, .strong = strong});
  }
  draw_colour_bar(svg, {corner.x + side + 16, corner.y}, std::min(side, 220.0), low, high);
  return svg.document();
}

std::string draw_token_weights(const std::string& title, const Tokens& tokens,
                               const std::vector<std::pair<std::string, std::vector<double>>>& weights) {
  const std::size_t n = tokens.names.size();
  const double cell = std::clamp(760.0 / static_cast<double>(std::max<std::size_t>(n, 1)), 4.0, 24.0);
  constexpr double strip = 84, bar_height = 62, font = 10;
  double left = 60;
  for (const auto& [name, list] : weights) left = std::max(left, drawn_width(name, 12) + 60);
  const double bottom = 36 + strip * static_cast<double>(weights.size());
  const double width = left + cell * static_cast<double>(n) + 24;
  Svg svg(std::max(width, drawn_width(title, 15) + 24), bottom + label_margin(tokens, font), title);
  svg.text({12, 20}, title, {.size = 14, .strong = true});
  double base = 36 + strip - 8;
  for (const auto& [name, list] : weights) {
    if (list.size() != n) {
      throw ShapeError(fmt::format("token weights of {}: got {} for {} tokens; expected one per token", name,
                                   list.size(), n));
    }
    const double top = list.empty() ? 1 : std::max(1e-12, *std::max_element(list.begin(), list.end()));
    svg.text({12, base - bar_height / 2 + 4}, name, {.strong = true});
    svg.text({left - 6, base - bar_height + 8}, format_number(top),
             {.size = 10, .anchor = Anchor::end, .colour = "#666"});
    svg.text({left - 6, base}, "0", {.size = 10, .anchor = Anchor::end, .colour = "#666"});
    for (std::size_t i = 0; i < n; ++i) {
      const double height = bar_height * std::max(0.0, list[i]) / top;
      svg.rect({left + cell * static_cast<double>(i), base - height}, cell * 0.85, height,
               contains(tokens.needle, i) ? needle_colour : "#7A93AC");
    }
    svg.line({left, base}, {left + cell * static_cast<double>(n), base}, {.colour = "#888"});
    base += strip;
  }
  for (const std::size_t i : labelled(tokens, cell, font + 0.5)) {
    const std::string_view colour = colour_of(tokens, i);
    svg.text(
        {left + cell * (static_cast<double>(i) + 0.43) + 3.5, bottom}, shown(tokens.names[i]),
        {.size = font, .anchor = Anchor::end, .colour = colour, .rotate = -90, .strong = colour != "#444"});
  }
  return svg.document();
}

}  // namespace tarn::plot
