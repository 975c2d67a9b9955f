#pragma once

#include <string>
#include <utility>
#include <vector>

namespace tarn::plot {

/// Methods on an axis of mean ranks, the best at the left, with a bar over every group that no test tells
/// apart. Demsar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets", figure 1; the groups
/// come from whatever tests were made.
struct CriticalDifference {
  std::string title;
  std::vector<std::string> names;                           ///< by rank, the best first
  std::vector<double> ranks;                                ///< mean ranks in that order, from 1
  std::vector<std::pair<std::size_t, std::size_t>> groups;  ///< first and last of `names`
  double width = 760;
};

[[nodiscard]] std::string draw(const CriticalDifference& diagram);

}  // namespace tarn::plot
