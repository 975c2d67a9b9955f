#pragma once

#include "tarn/core/real.hpp"

#include <string>
#include <vector>

namespace tarn::plot {

enum class Scale { linear, logarithmic };

/// One axis: data from `low` to `high` on pixels from `from` to `to`, with round ticks.
class Axis {
 public:
  /// Widens a range without extent so that it can be drawn. A logarithmic axis needs low > 0.
  Axis(double low, double high, double from, double to, Scale scale = Scale::linear);

  [[nodiscard]] double pixel(double value) const;
  /// At most about `count` round values inside the range.
  [[nodiscard]] std::vector<double> ticks(int count) const;
  /// With as many decimals as the distance of the ticks needs; thousands as 20k on a logarithmic axis.
  [[nodiscard]] std::string label(double tick, int count) const;

 private:
  [[nodiscard]] double step(int count) const;
  double low_, high_, from_, to_;
  Scale scale_;
};

}  // namespace tarn::plot
