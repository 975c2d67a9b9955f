#include "tarn/experiments/plot/interval_plot.hpp"

#include "tarn/experiments/plot/axis.hpp"
#include "tarn/experiments/plot/svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tarn::plot {

namespace {

constexpr double row_height = 20;

Interval value_range(const IntervalPlot& plot) {
  Interval range{INFINITY, -INFINITY};
  const auto add = [&](double v) {
    if (!std::isfinite(v)) return;
    if (plot.limits) v = std::clamp(v, plot.limits->low, plot.limits->high);
    range.low = std::min(range.low, v);
    range.high = std::max(range.high, v);
  };
  for (const IntervalRow& row : plot.rows) {
    if (row.value) add(*row.value);
    std::for_each(row.dots.begin(), row.dots.end(), add);
    if (row.value && row.interval) {
      add(row.interval->low);
      add(row.interval->high);
    }
  }
  if (plot.reference) add(*plot.reference);
  if (range.low > range.high) range = {0, 1};
  const double margin = 0.04 * (range.high - range.low);
  return {range.low - margin, range.high + margin};
}

void draw_end(Svg& svg, double at, double y, bool cut, double direction, std::string_view colour) {
  if (cut) {
    const std::array<Point, 3> arrow = {{{at + 6 * direction, y}, {at, y - 4}, {at, y + 4}}};
    svg.polygon(arrow, colour);
  } else {
    svg.line({at, y - 4}, {at, y + 4}, {.colour = colour, .width = 1.5});
  }
}

/// Dots that would hide each other stand around the middle of the row.
void draw_dots(Svg& svg, const IntervalRow& row, const Axis& x, const Interval& range, double y) {
  constexpr double radius = 2.5;
  std::vector<double> drawn;
  for (const double dot : row.dots) {
    const double at = x.pixel(std::clamp(dot, range.low, range.high));
    const auto same =
        std::count_if(drawn.begin(), drawn.end(), [&](double d) { return std::abs(d - at) < 1; });
    drawn.push_back(at);
    const double shift = static_cast<double>((same + 1) / 2) * (same % 2 == 0 ? 3 : -3);
    const double middle = y + std::clamp(shift, -row_height / 2, row_height / 2);
    const std::array<Point, 4> diamond = {
        {{at - radius, middle}, {at, middle - radius}, {at + radius, middle}, {at, middle + radius}}};
    svg.polygon(diamond, series_colour(row.style), 0.4);
  }
}

void draw_row(Svg& svg, const IntervalRow& row, const Axis& x, const Interval& range, double y) {
  const std::string_view colour = series_colour(row.style);
  draw_dots(svg, row, x, range, y);
  if (row.interval) {
    const double low = std::max(row.interval->low, range.low);
    const double high = std::min(row.interval->high, range.high);
    svg.line({x.pixel(low), y}, {x.pixel(high), y}, {.colour = colour, .width = 1.5});
    draw_end(svg, x.pixel(low), y, row.interval->low < range.low, -1, colour);
    draw_end(svg, x.pixel(high), y, row.interval->high > range.high, 1, colour);
  }
  svg.marker({x.pixel(std::clamp(*row.value, range.low, range.high)), y}, row.style, 4, colour);
}

}  // namespace

std::string draw(const IntervalPlot& plot) {
  double names = 0;
  for (const IntervalRow& row : plot.rows)
    names = std::max(names, drawn_width(row.name, 12) + (row.value ? 14 : 0));
  const double left = names + 24, right = left + plot.width - 120, top = 40;
  const double bottom = top + row_height * static_cast<double>(plot.rows.size()) + 6;
  Svg svg(right + 24, bottom + 52, plot.title);
  svg.text({12, 22}, plot.title, {.size = 14, .strong = true});

  const Interval range = value_range(plot);
  const Axis x(range.low, range.high, left, right);
  constexpr int num_ticks = 8;
  for (const double tick : x.ticks(num_ticks)) {
    svg.line({x.pixel(tick), top}, {x.pixel(tick), bottom}, {.colour = "#e6e6e6"});
    svg.text({x.pixel(tick), bottom + 18}, x.label(tick, num_ticks),
             {.anchor = Anchor::middle, .colour = "#444"});
  }
  if (plot.reference) {
    svg.line({x.pixel(*plot.reference), top}, {x.pixel(*plot.reference), bottom},
             {.colour = "#444", .dashes = "4 4"});
  }
  double y = top + row_height / 2 + 3;
  for (const IntervalRow& row : plot.rows) {
    svg.text({row.value ? 26.0 : 12.0, y + 4}, row.name,
             {.colour = row.value ? "#222" : "#555", .strong = !row.value});
    if (row.value) draw_row(svg, row, x, range, y);
    y += row_height;
  }
  svg.line({left, bottom}, {right, bottom}, {.colour = "#444"});
  svg.text({(left + right) / 2, bottom + 38}, plot.x_label, {.anchor = Anchor::middle});
  return svg.document();
}

}  // namespace tarn::plot
