#pragma once

#include "tarn/core/real.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Plain SVG pictures: no scripts, no fonts of their own, the same bytes for the same input.
namespace tarn::plot {

struct Point {
  double x = 0;
  double y = 0;
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 12;
  Anchor anchor = Anchor::start;
  std::string_view colour = "#222";
  double rotate = 0;  ///< degrees, clockwise, about the text's own point
  bool strong = false;
};

struct Stroke {
  std::string_view colour = "#222";
  double width = 1;
  std::string_view dashes = "";  ///< as stroke-dasharray takes them
};

/// Collects the elements of one picture. Coordinates are pixels, y downwards, written with two decimals.
class Svg {
 public:
  /// `title` is what a reader without eyes on it is told.
  Svg(double width, double height, std::string_view title);

  void rect(Point corner, double width, double height, std::string_view fill);
  void line(Point a, Point b, const Stroke& stroke);
  void polyline(std::span<const Point> points, const Stroke& stroke);
  void polygon(std::span<const Point> points, std::string_view fill, double opacity = 1);
  void path(std::string_view data, std::string_view fill);
  /// A small filled mark that tells lines apart without colour; `shape` counts round.
  void marker(Point centre, Size shape, double radius, std::string_view colour);
  void text(Point at, std::string_view content, const TextStyle& style = {});

  /// A PNG, stretched to the rectangle.
  void image(Point corner, double width, double height, std::string_view png);

  /// The whole document.
  [[nodiscard]] std::string document() const;

 private:
  double width_;
  double height_;
  std::string title_;
  std::string body_;
};

/// "12.5": at most two decimals.
[[nodiscard]] std::string coordinate(double value);
/// About how wide a text of this size is drawn, in pixels.
[[nodiscard]] double drawn_width(std::string_view text, double size);

// === Colours

/// Eight colours that colour-blind readers tell apart (Okabe & Ito 2008); the index counts round.
[[nodiscard]] std::string_view series_colour(Size index);
/// Dashes that go with the colour; solid for the first eight.
[[nodiscard]] std::string_view series_dashes(Size index);
/// The colour map viridis at t in [0, 1], as #rrggbb; clamped outside.
[[nodiscard]] std::string viridis(double t);

}  // namespace tarn::plot
