#pragma once

#include "tarn/experiments/statistics.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn::plot {

/// One row: a mark and, where it is known, its interval; behind it single values as pale dots. A row with a
/// heading alone starts a group.
struct IntervalRow {
  std::string name;
  std::optional<double> value;
  std::optional<Interval> interval;
  Size style = 0;
  std::vector<double> dots = {};
};

struct IntervalPlot {
  std::string title;
  std::string x_label;
  std::vector<IntervalRow> rows;
  std::optional<double> reference;  ///< a vertical line, mostly at zero
  double width = 640;
  /// Intervals are cut here, with an arrow, so that one wide interval does not squeeze all others.
  std::optional<Interval> limits;
};

[[nodiscard]] std::string draw(const IntervalPlot& plot);

}  // namespace tarn::plot
