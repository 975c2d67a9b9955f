#include "tarn/experiments/rank_figures.hpp"

#include "tarn/experiments/comparison_groups.hpp"
#include "tarn/experiments/plot/critical_difference.hpp"

#include <fmt/format.h>

namespace tarn {

std::vector<Figure> critical_difference_diagrams(const std::vector<Comparison>& comparisons,
                                                 Correction correction) {
  constexpr std::size_t fewest_methods = 3;
  std::vector<Figure> figures;
  for (const Comparison& comparison : comparisons) {
    const std::vector<PairedComparison> tests =
        test_methods(comparison, {.pairs = TestPairs::all, .correction = correction});
    for (const RankedColumn& ranked : rank_columns(comparison, tests)) {
      if (ranked.methods.size() < fewest_methods) continue;
      std::string where = comparison.title;
      if (!comparison.column_axis.empty()) {
        where += fmt::format("{}{} {}", where.empty() ? "" : ", ", comparison.column_axis,
                             comparison.column_title(ranked.column));
      }
      plot::CriticalDifference diagram{
          .title = fmt::format("Mean ranks by {}{}{}", comparison.metric, where.empty() ? "" : ": ", where),
          .names = {},
          .ranks = ranked.mean_ranks,
          .groups = ranked.groups};
      for (const std::size_t m : ranked.methods) diagram.names.push_back(comparison.methods[m]);
      figures.push_back(
          {fmt::format("ranks-{}.svg", figures.size() + 1),
           fmt::format(
               "Mean ranks over {} repeats, 1 the best. Bars join methods that no paired t test tells "
               "apart at 0.05 ({} over {} tests). Friedman test of equal ranks: p {}.",
               ranked.repeats, correction_name(correction), tests.size(), format_p(ranked.friedman.p)),
           draw(diagram)});
    }
  }
  return figures;
}

}  // namespace tarn
