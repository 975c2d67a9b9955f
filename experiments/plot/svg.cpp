#include "tarn/experiments/plot/svg.hpp"

#include "tarn/experiments/plot/image.hpp"
#include "tarn/experiments/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace tarn::plot {

namespace {

std::string points_text(std::span<const Point> points) {
  std::string out;
  for (const Point& p : points) {
    out += fmt::format("{}{},{}", out.empty() ? "" : " ", coordinate(p.x), coordinate(p.y));
  }
  return out;
}

std::string stroke_text(const Stroke& stroke) {
  std::string out = fmt::format("stroke=\"{}\" stroke-width=\"{}\"", stroke.colour, coordinate(stroke.width));
  if (!stroke.dashes.empty()) out += fmt::format(" stroke-dasharray=\"{}\"", stroke.dashes);
  return out;
}

}  // namespace

Svg::Svg(double width, double height, std::string_view title)
    : width_(width), height_(height), title_(title) {}

void Svg::rect(Point corner, double width, double height, std::string_view fill) {
  body_ +=
      fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", coordinate(corner.x),
                  coordinate(corner.y), coordinate(width), coordinate(height), fill);
}

void Svg::line(Point a, Point b, const Stroke& stroke) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {}/>\n", coordinate(a.x),
                       coordinate(a.y), coordinate(b.x), coordinate(b.y), stroke_text(stroke));
}

void Svg::polyline(std::span<const Point> points, const Stroke& stroke) {
  body_ += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke-linejoin=\"round\" {}/>\n",
                       points_text(points), stroke_text(stroke));
}

void Svg::polygon(std::span<const Point> points, std::string_view fill, double opacity) {
  body_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"{}\"/>\n", points_text(points),
                       fill, coordinate(opacity));
}

void Svg::path(std::string_view data, std::string_view fill) {
  body_ += fmt::format("<path d=\"{}\" fill=\"{}\" shape-rendering=\"crispEdges\"/>\n", data, fill);
}

void Svg::marker(Point c, Size shape, double r, std::string_view colour) {
  const auto corners = [&](int count, double first_angle, double radius) {
    std::vector<Point> points;
    for (int i = 0; i < count; ++i) {
      const double angle = first_angle + 2 * std::numbers::pi * i / count;
      points.push_back({c.x + radius * std::sin(angle), c.y - radius * std::cos(angle)});
    }
    return points;
  };
  switch (shape % 5) {
    case 0:
      body_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"/>\n", coordinate(c.x),
                           coordinate(c.y), coordinate(r), colour);
      return;
    case 1:
      return polygon(corners(4, std::numbers::pi / 4, 1.25 * r), colour);
    case 2:
      return polygon(corners(3, 0, 1.35 * r), colour);
    case 3:
      return polygon(corners(4, 0, 1.3 * r), colour);
    default:
      return polygon(corners(3, std::numbers::pi, 1.35 * r), colour);
  }
}

void Svg::text(Point at, std::string_view content, const TextStyle& style) {
  constexpr std::array<std::string_view, 3> anchors = {"start", "middle", "end"};
  std::string extra;
  if (style.rotate != 0) {
    extra = fmt::format(" transform=\"rotate({} {} {})\"", coordinate(style.rotate), coordinate(at.x),
                        coordinate(at.y));
  }
  if (style.strong) extra += " font-weight=\"bold\"";
  body_ += fmt::format(
      "<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\" fill=\"{}\"{}>{}</text>\n",
      coordinate(at.x), coordinate(at.y), coordinate(style.size),
      anchors[static_cast<std::size_t>(style.anchor)], style.colour, extra, escape_markup(content));
}

void Svg::image(Point corner, double width, double height, std::string_view png) {
  body_ += fmt::format(
      "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" "
      "href=\"data:image/png;base64,{}\"/>\n",
      coordinate(corner.x), coordinate(corner.y), coordinate(width), coordinate(height), base64(png));
}

std::string Svg::document() const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "role=\"img\" "
      "font-family=\"Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif\">\n<title>{2}</title>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{3}</svg>\n",
      coordinate(width_), coordinate(height_), escape_markup(title_), body_);
}

std::string coordinate(double value) {
  std::string text = format_fixed(value, 2);
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

double drawn_width(std::string_view text, double size) {
  // Narrow letters against wide ones even out; 0.56 em is a little above the mean of the sans-serif faces.
  return 0.56 * size * static_cast<double>(text_width(text));
}

std::string_view series_colour(Size index) {
  constexpr std::array<std::string_view, 8> colours = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                       "#E69F00", "#56B4E9", "#000000", "#8A8A8A"};
  return colours[static_cast<std::size_t>(index) % colours.size()];
}

std::string_view series_dashes(Size index) {
  constexpr std::array<std::string_view, 3> dashes = {"", "6 3", "2 3"};
  return dashes[static_cast<std::size_t>(index / 8) % dashes.size()];
}

std::string viridis(double t) {
  // Nine anchors of matplotlib's map, joined by straight lines.
  constexpr std::array<std::array<double, 3>, 9> anchors = {{{68, 1, 84},
                                                             {71, 44, 122},
                                                             {59, 81, 139},
                                                             {44, 113, 142},
                                                             {33, 144, 141},
                                                             {39, 173, 129},
                                                             {92, 200, 99},
                                                             {170, 220, 50},
                                                             {253, 231, 37}}};
  const double at = std::clamp(t, 0.0, 1.0) * (anchors.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), anchors.size() - 2);
  std::array<int, 3> rgb{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double v =
        anchors[low][i] + (at - static_cast<double>(low)) * (anchors[low + 1][i] - anchors[low][i]);
    rgb[i] = static_cast<int>(std::lround(v));
  }
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

}  // namespace tarn::plot
