#include "tarn/experiments/plot/line_chart.hpp"

#include "tarn/experiments/plot/frame.hpp"
#include "tarn/experiments/plot/svg.hpp"

#include <algorithm>
#include <cmath>

namespace tarn::plot {

namespace {

constexpr double legend_top = 38;
constexpr double legend_pitch = 19;

struct Range {
  double low = INFINITY;
  double high = -INFINITY;
  void add(double v) {
    if (!std::isfinite(v)) return;
    low = std::min(low, v);
    high = std::max(high, v);
  }
  [[nodiscard]] bool empty() const { return low > high; }
};

bool has_band(const Series& s) {
  return s.low.size() == s.y.size() && s.high.size() == s.y.size();
}

bool drawable(const Series& s, std::size_t i) {
  return std::isfinite(s.x[i]) && std::isfinite(s.y[i]);
}

void draw_band(Svg& svg, const Series& s, const Axis& x, const Axis& y) {
  if (!has_band(s)) return;
  std::vector<Point> outline;
  for (std::size_t i = 0; i < s.y.size(); ++i) {
    if (drawable(s, i)) outline.push_back({x.pixel(s.x[i]), y.pixel(s.high[i])});
  }
  for (std::size_t i = s.y.size(); i-- > 0;) {
    if (drawable(s, i)) outline.push_back({x.pixel(s.x[i]), y.pixel(s.low[i])});
  }
  if (outline.size() > 2) svg.polygon(outline, series_colour(s.style), 0.12);
}

void draw_line(Svg& svg, const Series& s, const Axis& x, const Axis& y) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < s.y.size(); ++i) {
    if (drawable(s, i)) points.push_back({x.pixel(s.x[i]), y.pixel(s.y[i])});
  }
  svg.polyline(points, {.colour = series_colour(s.style), .width = 2, .dashes = series_dashes(s.style)});
  // Close marks would hide the line.
  constexpr double mark_distance = 24;
  double last = -INFINITY;
  for (const Point& point : points) {
    if (point.x - last < mark_distance) continue;
    svg.marker(point, s.style, 3.5, series_colour(s.style));
    last = point.x;
  }
}

void draw_legend(Svg& svg, const LineChart& chart, double left, double top) {
  double y = top + 6;
  for (const Series& s : chart.series) {
    svg.line({left, y}, {left + 24, y},
             {.colour = series_colour(s.style), .width = 2, .dashes = series_dashes(s.style)});
    svg.marker({left + 12, y}, s.style, 3.5, series_colour(s.style));
    svg.text({left + 30, y + 4}, s.name);
    y += legend_pitch;
  }
  if (chart.reference && !chart.reference_name.empty()) {
    svg.line({left, y}, {left + 24, y}, {.colour = "#777", .dashes = "4 4"});
    svg.text({left + 30, y + 4}, chart.reference_name, {.colour = "#555"});
  }
}

}  // namespace

std::string draw(const LineChart& chart) {
  Range xs, ys;
  double legend = drawn_width(chart.reference_name, 12);
  for (const Series& s : chart.series) {
    legend = std::max(legend, drawn_width(s.name, 12));
    for (std::size_t i = 0; i < s.y.size(); ++i) {
      if (!drawable(s, i)) continue;
      xs.add(s.x[i]);
      ys.add(s.y[i]);
      if (has_band(s)) {
        ys.add(s.low[i]);
        ys.add(s.high[i]);
      }
    }
  }
  const double rows = static_cast<double>(chart.series.size()) + (chart.reference ? 1 : 0);
  const double height = std::max(chart.height, legend_top + rows * legend_pitch);
  const Frame frame{.left = 62, .right = chart.width, .top = legend_top, .bottom = height - 52};
  const double title_end = frame.left + drawn_width(chart.title, 15) + 8;
  Svg svg(std::max(chart.width + 44 + legend, title_end), height, chart.title);
  svg.text({frame.left, 22}, chart.title, {.size = 14, .strong = true});
  if (xs.empty()) {
    svg.text({frame.left, 60}, "no finished points yet", {.colour = "#777"});
    return svg.document();
  }
  if (chart.reference) ys.add(*chart.reference);
  const bool by_decades = chart.y_scale == Scale::logarithmic && ys.low > 0;
  const double margin = by_decades ? 0 : std::max(1e-12, 0.04 * (ys.high - ys.low));
  const double inset = 14;  // marks at the ends stay inside the frame
  const Axis x(xs.low, xs.high, frame.left + inset, frame.right - inset, chart.x_scale);
  const Axis y(ys.low - margin, ys.high + margin, frame.bottom, frame.top,
               by_decades ? Scale::logarithmic : Scale::linear);
  draw_frame(svg, frame, x, y, {chart.x_label, chart.y_label, chart.x_ticks});
  if (chart.reference) {
    svg.line({frame.left, y.pixel(*chart.reference)}, {frame.right, y.pixel(*chart.reference)},
             {.colour = "#777", .dashes = "4 4"});
  }
  for (const Series& s : chart.series) draw_band(svg, s, x, y);
  for (const Series& s : chart.series) draw_line(svg, s, x, y);
  draw_legend(svg, chart, frame.right + 12, frame.top);
  return svg.document();
}

}  // namespace tarn::plot
