#pragma once

#include "tarn/experiments/plot/axis.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn::plot {

/// One line: its points by rising x, and a band around them if `low` and `high` are as long as `y`.
struct Series {
  std::string name;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<double> low;
  std::vector<double> high;
  Size style = 0;  ///< which colour and mark; the same readout keeps its own in every picture
};

struct LineChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  Scale x_scale = Scale::linear;
  Scale y_scale = Scale::linear;    ///< logarithmic needs values above 0, and is linear without them
  std::vector<double> x_ticks;      ///< round values if empty
  std::optional<double> reference;  ///< a grey dashed level
  std::string reference_name;
  double width = 640;
  double height = 400;
};

/// The chart with its legend to the right. Points that are not finite are left out; without any point the
/// picture says so.
[[nodiscard]] std::string draw(const LineChart& chart);

}  // namespace tarn::plot
