#include "tarn/experiments/plot/critical_difference.hpp"

#include "tarn/experiments/plot/axis.hpp"
#include "tarn/experiments/plot/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn::plot {

namespace {

constexpr double axis_y = 64;
constexpr double bar_step = 8;
constexpr double label_step = 17;
constexpr int num_ticks = 10;

/// In which line a bar stands, so that bars that overlap do not touch.
std::vector<std::size_t> bar_lines(const CriticalDifference& diagram) {
  std::vector<std::size_t> lines;
  std::vector<double> ends;  // of each line so far
  for (const auto& [first, last] : diagram.groups) {
    const double from = diagram.ranks[first];
    std::size_t line = 0;
    while (line < ends.size() && ends[line] >= from) ++line;
    if (line == ends.size()) ends.push_back(0);
    ends[line] = diagram.ranks[last];
    lines.push_back(line);
  }
  return lines;
}

std::string label_of(const CriticalDifference& diagram, std::size_t i) {
  return fmt::format("{} ({:.1f})", diagram.names[i], diagram.ranks[i]);
}

/// From a method's place on the axis down and out to its name. The better half stands at the left, its best
/// on top; the other half at the right, its worst on top: no lines cross.
void draw_labels(Svg& svg, const CriticalDifference& diagram, const Axis& x, double top, double left,
                 double right) {
  const std::size_t count = diagram.names.size(), half = (count + 1) / 2;
  for (std::size_t i = 0; i < count; ++i) {
    const bool at_left = i < half;
    const double y = top + label_step * static_cast<double>(at_left ? i : count - 1 - i);
    const double at = x.pixel(diagram.ranks[i]), edge = at_left ? left - 6 : right + 6;
    const std::array<Point, 3> path = {{{at, axis_y}, {at, y}, {edge, y}}};
    svg.polyline(path, {.colour = "#8a8a8a", .width = 0.8});
    svg.text({at_left ? edge - 4 : edge + 4, y + 4}, label_of(diagram, i),
             {.anchor = at_left ? Anchor::end : Anchor::start});
  }
}

}  // namespace

std::string draw(const CriticalDifference& diagram) {
  double names = 0;
  for (std::size_t i = 0; i < diagram.names.size(); ++i)
    names = std::max(names, drawn_width(label_of(diagram, i), 12));
  const std::vector<std::size_t> lines = bar_lines(diagram);
  const std::size_t num_lines = lines.empty() ? 0 : *std::max_element(lines.begin(), lines.end()) + 1;
  const double left = names + 24, right = left + diagram.width - 240;
  const double bars = axis_y + 14, labels = bars + bar_step * static_cast<double>(num_lines) + 12;
  const std::size_t half = (diagram.names.size() + 1) / 2;
  Svg svg(right + names + 24, labels + label_step * static_cast<double>(half) + 12, diagram.title);
  svg.text({12, 22}, diagram.title, {.size = 14, .strong = true});

  const auto most = static_cast<double>(std::max<std::size_t>(diagram.names.size(), 2));
  const Axis x(1, most, left, right);
  draw_labels(svg, diagram, x, labels, left, right);
  svg.line({left, axis_y}, {right, axis_y}, {.colour = "#222", .width = 1.2});
  for (const double tick : x.ticks(num_ticks)) {
    svg.line({x.pixel(tick), axis_y - 5}, {x.pixel(tick), axis_y}, {.colour = "#222"});
    svg.text({x.pixel(tick), axis_y - 10}, x.label(tick, num_ticks),
             {.anchor = Anchor::middle, .colour = "#444"});
  }
  constexpr double overhang = 4;
  for (std::size_t g = 0; g < diagram.groups.size(); ++g) {
    const auto& [first, last] = diagram.groups[g];
    const double y = bars + bar_step * static_cast<double>(lines[g]);
    svg.line({x.pixel(diagram.ranks[first]) - overhang, y}, {x.pixel(diagram.ranks[last]) + overhang, y},
             {.colour = "#0072B2", .width = 4});
  }
  return svg.document();
}

}  // namespace tarn::plot
