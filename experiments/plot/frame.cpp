#include "tarn/experiments/plot/frame.hpp"

#include "tarn/experiments/table.hpp"

namespace tarn::plot {

void draw_frame(Svg& svg, const Frame& frame, const Axis& x, const Axis& y, const FrameLabels& labels) {
  constexpr int num_x_ticks = 8, num_y_ticks = 6;
  const double middle_y = (frame.top + frame.bottom) / 2;
  for (const double tick : y.ticks(num_y_ticks)) {
    const double at = y.pixel(tick);
    svg.line({frame.left, at}, {frame.right, at}, {.colour = "#e6e6e6"});
    svg.text({frame.left - 7, at + 4}, y.label(tick, num_y_ticks), {.anchor = Anchor::end, .colour = "#444"});
  }
  const bool own_ticks = !labels.x_ticks.empty();
  double free_from = frame.left - 40;
  for (const double tick : own_ticks ? labels.x_ticks : x.ticks(num_x_ticks)) {
    const double at = x.pixel(tick);
    svg.line({at, frame.top}, {at, frame.bottom}, {.colour = "#f0f0f0"});
    svg.line({at, frame.bottom}, {at, frame.bottom + 4}, {.colour = "#444"});
    const std::string label = own_ticks ? format_number(tick) : x.label(tick, num_x_ticks);
    const double half = drawn_width(label, 12) / 2;
    if (at - half < free_from) continue;  // a label that would touch the one before it
    svg.text({at, frame.bottom + 18}, label, {.anchor = Anchor::middle, .colour = "#444"});
    free_from = at + half + 4;
  }
  svg.line({frame.left, frame.top}, {frame.left, frame.bottom}, {.colour = "#444"});
  svg.line({frame.left, frame.bottom}, {frame.right, frame.bottom}, {.colour = "#444"});
  svg.text({(frame.left + frame.right) / 2, frame.bottom + 38}, labels.x, {.anchor = Anchor::middle});
  svg.text({16, middle_y}, labels.y, {.anchor = Anchor::middle, .rotate = -90});
}

}  // namespace tarn::plot
