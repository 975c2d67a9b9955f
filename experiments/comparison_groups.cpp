#include "tarn/experiments/comparison_groups.hpp"

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

/// Pairs of methods of one column that the tests tell apart.
class Separations {
 public:
  Separations(std::size_t methods, const std::vector<PairedComparison>& tests, std::size_t column,
              double level)
      : methods_(methods), apart_(methods * methods, false) {
    for (const PairedComparison& test : tests) {
      if (test.column != column || !tells_apart(test, level)) continue;
      apart_[test.method * methods + test.reference] = true;
      apart_[test.reference * methods + test.method] = true;
    }
  }
  [[nodiscard]] bool apart(std::size_t a, std::size_t b) const { return apart_[a * methods_ + b]; }

 private:
  std::size_t methods_;
  std::vector<bool> apart_;
};

std::vector<std::pair<std::size_t, std::size_t>> longest_runs(const std::vector<std::size_t>& methods,
                                                              const Separations& separations) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  std::size_t reached = 0;  // one past the end of the last run
  for (std::size_t first = 0; first < methods.size(); ++first) {
    std::size_t end = first + 1;
    const auto joins = [&](std::size_t candidate) {
      return std::none_of(methods.begin() + static_cast<std::ptrdiff_t>(first),
                          methods.begin() + static_cast<std::ptrdiff_t>(candidate),
                          [&](std::size_t method) { return separations.apart(method, methods[candidate]); });
    };
    while (end < methods.size() && joins(end)) ++end;
    if (end > first + 1 && end > reached) {
      runs.emplace_back(first, end - 1);
      reached = end;
    }
  }
  return runs;
}

}  // namespace

bool tells_apart(const PairedComparison& test, double level) {
  return test.test.remark.empty() && test.adjusted_p < level;
}

std::vector<RankedColumn> rank_columns(const Comparison& comparison,
                                       const std::vector<PairedComparison>& tests, double level) {
  const double sign = is_lower_better(comparison.metric) ? -1 : 1;
  std::vector<RankedColumn> result;
  for (std::size_t column = 0; column < comparison.columns.size(); ++column) {
    PairedScores scores = paired_scores(comparison, column);
    if (scores.methods.size() < 2 || scores.values.size() < 2) continue;
    for (std::vector<double>& row : scores.values) {
      for (double& v : row) v *= sign;
    }
    const FriedmanTest test = friedman_test(scores.values);
    std::vector<std::size_t> order(scores.methods.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return test.mean_ranks[a] < test.mean_ranks[b]; });
    RankedColumn ranked{.column = column,
                        .methods = {},
                        .mean_ranks = {},
                        .repeats = static_cast<Size>(scores.values.size()),
                        .friedman = test,
                        .groups = {}};
    for (const std::size_t i : order) {
      ranked.methods.push_back(scores.methods[i]);
      ranked.mean_ranks.push_back(test.mean_ranks[i]);
    }
    ranked.friedman.mean_ranks = ranked.mean_ranks;
    ranked.groups =
        longest_runs(ranked.methods, Separations(comparison.methods.size(), tests, column, level));
    result.push_back(std::move(ranked));
  }
  return result;
}

std::vector<std::vector<Verdicts>> count_verdicts(const Comparison& comparison,
                                                  const std::vector<PairedComparison>& tests, double level) {
  const double sign = is_lower_better(comparison.metric) ? -1 : 1;
  std::vector<std::vector<Verdicts>> verdicts(comparison.methods.size(),
                                              std::vector<Verdicts>(comparison.columns.size()));
  for (const PairedComparison& test : tests) {
    Verdicts& method = verdicts[test.method][test.column];
    Verdicts& reference = verdicts[test.reference][test.column];
    if (!tells_apart(test, level)) {
      ++method.open;
      ++reference.open;
      continue;
    }
    const bool wins = sign * test.test.mean_difference > 0;
    ++(wins ? method.better : method.worse);
    ++(wins ? reference.worse : reference.better);
  }
  return verdicts;
}

}  // namespace tarn
