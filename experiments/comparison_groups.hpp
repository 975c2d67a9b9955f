#pragma once

#include "tarn/experiments/comparison.hpp"

#include <string>
#include <utility>
#include <vector>

namespace tarn {

/// Whether a test finds a difference: adjusted p below `level`, and t defined. Differences that are all equal
/// leave t without a spread to go by, whatever their size.
[[nodiscard]] bool tells_apart(const PairedComparison& test, double level = 0.05);

/// Methods of one column by rank, and which of them the tests leave together.
struct RankedColumn {
  std::size_t column = 0;
  std::vector<std::size_t> methods;  ///< by mean rank over the repeats that all have, the best first
  std::vector<double> mean_ranks;    ///< in the order of `methods`; ties share the mean of their ranks
  Size repeats = 0;                  ///< seeds or folds that are ranked
  FriedmanTest friedman;             ///< of equal ranks; its ranks in the order of `methods`
  /// First and last of every longest run of neighbours in `methods` no two of which are told apart; runs of
  /// two or more.
  std::vector<std::pair<std::size_t, std::size_t>> groups;
};

/// Every column with two or more methods that share two or more repeats. `tests` are all pairs of methods;
/// two are told apart where the adjusted p is below `level`.
[[nodiscard]] std::vector<RankedColumn> rank_columns(const Comparison& comparison,
                                                     const std::vector<PairedComparison>& tests,
                                                     double level = 0.05);

/// What the tests say of one method in one column.
struct Verdicts {
  Size better = 0;  ///< methods that it is told apart from and beats
  Size worse = 0;
  Size open = 0;  ///< methods that it is not told apart from
};
/// [method][column].
[[nodiscard]] std::vector<std::vector<Verdicts>> count_verdicts(const Comparison& comparison,
                                                                const std::vector<PairedComparison>& tests,
                                                                double level = 0.05);

}  // namespace tarn
