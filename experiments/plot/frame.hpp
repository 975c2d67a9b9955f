#pragma once

#include "tarn/experiments/plot/axis.hpp"
#include "tarn/experiments/plot/svg.hpp"

#include <string>
#include <vector>

namespace tarn::plot {

/// The rectangle in which data is drawn, in pixels.
struct Frame {
  double left = 0;
  double right = 0;
  double top = 0;
  double bottom = 0;
};

struct FrameLabels {
  std::string x;
  std::string y;
  std::vector<double> x_ticks;  ///< round values if empty
};

/// Light grid lines, the two axes, ticks and labels.
void draw_frame(Svg& svg, const Frame& frame, const Axis& x, const Axis& y, const FrameLabels& labels);

}  // namespace tarn::plot
