#pragma once

#include "tarn/experiments/report_figures.hpp"

namespace tarn {

/// A critical-difference diagram of every column with three or more methods and two or more repeats: mean
/// ranks over the repeats, and bars that join methods that no paired test, corrected for all pairs of all
/// columns, tells apart at 0.05.
[[nodiscard]] std::vector<Figure> critical_difference_diagrams(const std::vector<Comparison>& comparisons,
                                                               Correction correction = Correction::holm);

}  // namespace tarn
