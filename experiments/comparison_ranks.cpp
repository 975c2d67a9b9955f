#include "tarn/experiments/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

std::string title_of(const std::string& what, const Comparison& comparison) {
  return comparison.title.empty() ? what : fmt::format("{}: {}", what, comparison.title);
}

/// Means of a method over each column; fewer where a column has no score.
std::vector<double> column_means(const Comparison& comparison, std::size_t method) {
  std::vector<double> means;
  for (const ComparedCell& cell : comparison.cells[method]) {
    const std::vector<double> values = cell.values(comparison.metric);
    if (!values.empty()) means.push_back(mean(values));
  }
  return means;
}

}  // namespace

std::optional<RankedMethods> rank_methods(const Comparison& comparison, Correction correction) {
  const std::size_t sets = comparison.columns.size();
  if (sets < 2 || (comparison.column_axis != "dataset" && comparison.column_axis != "task"))
    return std::nullopt;
  RankedMethods ranked;
  std::vector<std::vector<double>> means;  // [method][set]
  const double sign = is_lower_better(comparison.metric) ? -1 : 1;
  for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
    std::vector<double> own = column_means(comparison, m);
    if (own.size() != sets) continue;
    for (double& v : own) v *= sign;
    ranked.methods.push_back(m);
    means.push_back(std::move(own));
  }
  if (ranked.methods.size() < 2) return std::nullopt;
  std::vector<std::vector<double>> by_set(sets);
  for (std::size_t s = 0; s < sets; ++s) {
    for (const std::vector<double>& own : means) by_set[s].push_back(own[s]);
  }
  ranked.friedman = friedman_test(by_set);
  std::vector<double> p;
  for (std::size_t a = 0; a < means.size(); ++a) {
    for (std::size_t b = a + 1; b < means.size(); ++b) {
      ranked.pairs.push_back(
          {a, b, wilcoxon_test(rounded_differences(means[a], means[b]), WilcoxonMethod::exact)});
      p.push_back(ranked.pairs.back().ranks.p);
    }
  }
  const std::vector<double> adjusted = adjust(p, correction);
  for (std::size_t i = 0; i < ranked.pairs.size(); ++i) ranked.pairs[i].adjusted_p = adjusted[i];
  return ranked;
}

Table rank_table(const Comparison& comparison, const RankedMethods& ranked) {
  Table table(title_of(fmt::format("Mean ranks of {} over {} {}s", comparison.metric,
                                   comparison.columns.size(), comparison.column_axis),
                       comparison),
              {{comparison.method_title(), Align::left}, {"mean rank"}});
  std::vector<std::size_t> order(ranked.methods.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::vector<double>& ranks = ranked.friedman.mean_ranks;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ranks[a] < ranks[b]; });
  for (const std::size_t i : order) {
    table.add_row({comparison.methods[ranked.methods[i]], format_fixed(ranks[i], 2)});
  }
  table.add_note(fmt::format(
      "1 is the best; ties share the mean of their ranks. Friedman test of equal ranks: "
      "chi-square {} with {} degrees of freedom, p {}.",
      format_fixed(ranked.friedman.statistic, 2), ranked.methods.size() - 1, format_p(ranked.friedman.p)));
  return table;
}

Table rank_test_table(const Comparison& comparison, const RankedMethods& ranked, Correction correction) {
  Table table(title_of(fmt::format("Pairs over {}s", comparison.column_axis), comparison),
              {{comparison.method_title(), Align::left},
               {"against", Align::left},
               {"W"},
               {"p (Wilcoxon)"},
               {fmt::format("p ({})", correction_name(correction))}});
  for (const RankedMethods::Pair& pair : ranked.pairs) {
    table.add_row({comparison.methods[ranked.methods[pair.first]],
                   comparison.methods[ranked.methods[pair.second]], format_fixed(pair.ranks.statistic, 1),
                   format_p(pair.ranks.p), format_p(pair.adjusted_p)});
  }
  table.add_note(
      fmt::format("Wilcoxon signed-rank tests of the means on each {0} (Demsar 2006); with {1} {0}s no p "
                  "below {2:.4g} can be reached.",
                  comparison.column_axis, comparison.columns.size(),
                  smallest_signed_p(static_cast<Size>(comparison.columns.size()))));
  return table;
}

}  // namespace tarn
