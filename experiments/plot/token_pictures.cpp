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
constexpr double label_size = 10;
constexpr double label_pitch = 10.5;
constexpr double leader = 12;  // from a label to its row

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

bool is_marked(const Tokens& tokens, std::size_t i) {
  return contains(tokens.needle, i) || contains(tokens.pooled, i);
}

/// A token's name and where along the side it stands.
struct Label {
  std::size_t token = 0;
  double at = 0;
};

/// Moves labels, in order, as little as possible (least squares) until they are `pitch` apart: neighbours
/// that would overlap pool into one block around their mean.
void spread(std::vector<Label>& labels, double pitch) {
  struct Block {
    double start;  // of its first label
    std::size_t size;
  };
  std::vector<Block> blocks;
  for (const Label& label : labels) {
    blocks.push_back({label.at, 1});
    while (blocks.size() > 1) {
      Block& left = blocks[blocks.size() - 2];
      const Block& right = blocks.back();
      const double offset = pitch * static_cast<double>(left.size);
      if (left.start + offset <= right.start) break;
      const auto n = static_cast<double>(left.size), m = static_cast<double>(right.size);
      left = {(n * left.start + m * (right.start - offset)) / (n + m), left.size + right.size};
      blocks.pop_back();
    }
  }
  std::size_t i = 0;
  for (const Block& block : blocks) {
    for (std::size_t k = 0; k < block.size; ++k)
      labels[i++].at = block.start + pitch * static_cast<double>(k);
  }
}

/// Labels that do not overlap: every marked token, others where there is room.
std::vector<Label> place_labels(const Tokens& tokens, double cell, double pitch) {
  const auto centre = [&](std::size_t i) { return cell * (static_cast<double>(i) + 0.5); };
  std::vector<Label> labels;
  for (std::size_t i = 0; i < tokens.names.size(); ++i) {
    if (is_marked(tokens, i)) labels.push_back({i, centre(i)});
  }
  spread(labels, pitch);
  for (std::size_t i = 0; i < tokens.names.size(); ++i) {
    if (is_marked(tokens, i)) continue;
    const bool room = std::all_of(labels.begin(), labels.end(), [&](const Label& other) {
      return std::abs(centre(i) - other.at) >= pitch;
    });
    if (room) labels.push_back({i, centre(i)});
  }
  return labels;
}

/// The names along the bottom, each joined to its column where it had to move aside.
void draw_bottom_labels(Svg& svg, const Tokens& tokens, Point corner, double cell) {
  for (const Label& label : place_labels(tokens, cell, label_pitch)) {
    const std::string_view colour = colour_of(tokens, label.token);
    const double column = cell * (static_cast<double>(label.token) + 0.5);
    svg.line({corner.x + column, corner.y + 1}, {corner.x + label.at, corner.y + leader},
             {.colour = colour, .width = 0.6});
    svg.text({corner.x + label.at + 3.5, corner.y + leader + 3}, shown(tokens.names[label.token]),
             {.size = label_size,
              .anchor = Anchor::end,
              .colour = colour,
              .rotate = -90,
              .strong = is_marked(tokens, label.token)});
  }
}

/// The same down the left side.
void draw_left_labels(Svg& svg, const Tokens& tokens, Point corner, double cell) {
  for (const Label& label : place_labels(tokens, cell, label_pitch)) {
    const std::string_view colour = colour_of(tokens, label.token);
    const double row = cell * (static_cast<double>(label.token) + 0.5);
    svg.line({corner.x - 1, corner.y + row}, {corner.x - leader, corner.y + label.at},
             {.colour = colour, .width = 0.6});
    svg.text({corner.x - leader - 3, corner.y + label.at + 3.5}, shown(tokens.names[label.token]),
             {.size = label_size,
              .anchor = Anchor::end,
              .colour = colour,
              .strong = is_marked(tokens, label.token)});
  }
}

double label_margin(const Tokens& tokens) {
  double widest = 0;
  for (const std::string& name : tokens.names)
    widest = std::max(widest, drawn_width(shown(name), label_size));
  return widest + leader + 12;
}

/// All cells of one colour as one path, equal neighbours in a row joined: far smaller than a rectangle each.
/// Cells overlap by less than one sees, so that rounding leaves no seam.
void draw_cells(Svg& svg, const std::vector<std::vector<double>>& values, double low, double high,
                Point corner, double cell) {
  constexpr int num_levels = 64;
  constexpr double overlap = 0.03;
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
      const std::string width = coordinate(cell * static_cast<double>(end - c) + overlap);
      paths[here] += fmt::format("M{} {}h{}v{}h-{}z", coordinate(corner.x + cell * static_cast<double>(c)),
                                 coordinate(corner.y + cell * static_cast<double>(r)), width,
                                 coordinate(cell + overlap), width);
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
  // Whole pixels where cells are large enough: no seams between them.
  const double room = std::clamp(620.0 / static_cast<double>(std::max<std::size_t>(n, 1)), 1.0, 22.0);
  const double cell = room < 4 ? room : std::floor(room);
  const double margin = std::ceil(label_margin(tokens));
  const double side = cell * static_cast<double>(n);
  const Point corner{margin, 34};
  Svg svg(std::max(margin + side + 76, drawn_width(title, 15) + 24), corner.y + side + margin, title);
  svg.text({12, 20}, title, {.size = 14, .strong = true});
  draw_cells(svg, values, low, high, corner, cell);
  draw_left_labels(svg, tokens, corner, cell);
  draw_bottom_labels(svg, tokens, {corner.x, corner.y + side}, cell);
  draw_colour_bar(svg, {corner.x + side + 16, corner.y}, std::min(side, 220.0), low, high);
  return svg.document();
}

std::string draw_token_weights(const std::string& title, const Tokens& tokens,
                               const std::vector<std::pair<std::string, std::vector<double>>>& weights) {
  const std::size_t n = tokens.names.size();
  const double cell = std::clamp(760.0 / static_cast<double>(std::max<std::size_t>(n, 1)), 4.0, 24.0);
  constexpr double strip = 84, bar_height = 62;
  double left = 60;
  for (const auto& [name, list] : weights) left = std::max(left, drawn_width(name, 12) + 60);
  const double bottom = 36 + strip * static_cast<double>(weights.size());
  const double width = left + cell * static_cast<double>(n) + 24;
  Svg svg(std::max(width, drawn_width(title, 15) + 24), bottom + label_margin(tokens), title);
  svg.text({12, 20}, title, {.size = 14, .strong = true});
  double base = 36 + strip - 8;
  for (const auto& [name, list] : weights) {
    if (list.size() != n) {
      throw ShapeError(fmt::format("token weights of {}: got {} for {} tokens; expected one per token", name,
                                   list.size(), n));
    }
    const double top = list.empty() ? 1 : std::max(1e-12, *std::max_element(list.begin(), list.end()));
    svg.text({12, base - bar_height / 2 + 4}, name, {.strong = true});
    svg.text({left - 6, base - bar_height + 8}, fmt::format("{:.2g}", top),
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
  draw_bottom_labels(svg, tokens, {left, bottom - 8}, cell);
  return svg.document();
}

}  // namespace tarn::plot
