#include "tarn/experiments/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tarn {

namespace {

std::string heading(const std::string& what, const Comparison& comparison) {
  return comparison.title.empty() ? what : fmt::format("{}: {}", what, comparison.title);
}

std::string metric_title(const std::string& metric) {
  return is_share(metric) ? metric + ", percent" : metric;
}

double scale_of(const std::string& metric) {
  return is_share(metric) ? 100 : 1;
}

std::string format_metric(const std::string& metric, double value) {
  if (is_share(metric)) return format_fixed(100 * value, 1);
  return format_number(value);
}

/// The best mean of each column, for bold type.
std::vector<double> best_means(const Comparison& comparison) {
  const bool lower = is_lower_better(comparison.metric);
  std::vector<double> best(comparison.columns.size(), lower ? INFINITY : -INFINITY);
  for (const auto& row : comparison.cells) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::vector<double> values = row[c].values(comparison.metric);
      if (!values.empty())
        best[c] = lower ? std::min(best[c], mean(values)) : std::max(best[c], mean(values));
    }
  }
  return best;
}

/// "630", or "630 to 12600" where the columns differ; "" if steps were not counted.
std::string steps_text(const std::vector<ComparedCell>& row) {
  std::set<double> steps;
  for (const ComparedCell& cell : row) {
    for (const double v : cell.values("steps")) steps.insert(v);
  }
  if (steps.empty()) return "";
  const std::string low = format_number(*steps.begin());
  return steps.size() == 1 ? low : fmt::format("{} to {}", low, format_number(*steps.rbegin()));
}

struct Counts {
  Size fewest = INT64_MAX;
  Size most = 0;
};

Counts trial_counts(const Comparison& comparison) {
  Counts counts;
  for (const auto& row : comparison.cells) {
    for (const ComparedCell& cell : row) {
      const auto n = static_cast<Size>(cell.values(comparison.metric).size());
      counts.fewest = std::min(counts.fewest, n);
      counts.most = std::max(counts.most, n);
    }
  }
  return counts;
}

void add_interval_notes(Table& table, const Comparison& comparison) {
  const Counts counts = trial_counts(comparison);
  if (counts.most <= 1) {
    table.add_note("One trial per cell: no interval and no test; differences between rows may be chance.");
    return;
  }
  table.add_note(fmt::format("Mean ± half the 95 % t interval over {} trials per cell.",
                             counts.fewest == counts.most
                                 ? fmt::format("{}", counts.most)
                                 : fmt::format("{} to {}", counts.fewest, counts.most)));
  if (counts.fewest != counts.most) {
    table.add_note(
        "Some cells have fewer trials than others: the run is unfinished, or trials were left out.");
  }
}

void add_test_notes(Table& table, const std::vector<PairedComparison>& tests, Correction correction) {
  Size fewest = INT64_MAX;
  bool undefined = false, items = false, corrected = false;
  for (const PairedComparison& t : tests) {
    fewest = std::min(fewest, t.test.count);
    undefined = undefined || !t.test.remark.empty();
    items = items || t.item_p.has_value();
    corrected = corrected || t.test.corrected;
  }
  table.add_note(
      fmt::format("Differences are row minus the method it is tested against, in points, ± half the 95 % t "
                  "interval; t test over "
                  "pairs of the same "
                  "seed and fold; {} corrects for the {} tests of this table.",
                  correction_name(correction), tests.size()));
  if (corrected) {
    table.add_note(
        "Folds share training data: t tests and intervals are corrected for it (Nadeau & Bengio 2003).");
  }
  if (fewest < 6) {
    table.add_note(fmt::format(
        "{0} {1}: the smallest two-sided p that a signed-rank or sign test of {0} {1} can give is {2:.4g}, "
        "so these "
        "tests cannot reach 0.05 here whatever the difference. The t test can, but only by assuming normal "
        "differences, which {0} values cannot check.",
        fewest, fewest == 1 ? "pair" : "pairs", smallest_signed_p(fewest)));
  }
  if (undefined) table.add_note("*: all differences are equal (or there is one pair), so t is undefined.");
  if (items) {
    table.add_note(
        "Items: evaluation texts that only the row's model or only the reference's gets right, pooled over "
        "the pairs, "
        "with McNemar's exact test. It says whether these trained models differ on texts of this kind, not "
        "whether "
        "models trained anew would.");
  }
}

std::string p_text(const PairedComparison& t) {
  if (!t.test.p) return "-";
  return t.test.remark.empty() ? format_p(t.test.p) : format_fixed(*t.test.p, 0) + "*";
}

}  // namespace

Table headline_table(const Comparison& comparison) {
  const bool steps = std::any_of(comparison.cells.begin(), comparison.cells.end(),
                                 [](const auto& row) { return !steps_text(row).empty(); });
  std::vector<Column> columns = {{comparison.method_title(), Align::left}};
  if (steps) columns.push_back({"steps"});
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
    const std::string title = comparison.column_title(c);
    columns.push_back(
        {comparison.column_axis.empty() ? title : fmt::format("{} {}", comparison.column_axis, title)});
  }
  Table table(heading(metric_title(comparison.metric), comparison), columns);
  const std::vector<double> best = best_means(comparison);
  for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
    std::vector<Cell> row = {comparison.methods[m]};
    if (steps) row.emplace_back(steps_text(comparison.cells[m]));
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      const std::vector<double> values = comparison.cells[m][c].values(comparison.metric);
      if (values.empty()) {
        row.emplace_back("-");
        continue;
      }
      const double centre = mean(values);
      row.emplace_back(format_interval(centre, t_interval(values), scale_of(comparison.metric),
                                       is_share(comparison.metric) ? 1 : 3),
                       centre == best[c]);
    }
    table.add_row(std::move(row));
  }
  add_interval_notes(table, comparison);
  return table;
}

Table detail_table(const Comparison& comparison, const TrialSet& set) {
  std::vector<std::string> metrics;
  for (const std::string& metric : set.metrics) {
    const bool occurs = std::any_of(comparison.cells.begin(), comparison.cells.end(), [&](const auto& row) {
      return std::any_of(row.begin(), row.end(),
                         [&](const ComparedCell& cell) { return !cell.values(metric).empty(); });
    });
    if (metric != comparison.metric && occurs) metrics.push_back(metric);
  }
  std::vector<Column> columns = {
      {comparison.column_axis.empty() ? "set" : comparison.column_axis, Align::left},
      {comparison.method_title(), Align::left}};
  for (const std::string& metric : metrics) columns.push_back({metric_title(metric)});
  Table table(heading("All other measurements, means over trials", comparison), columns);
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
    table.add_rule();
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      const ComparedCell& cell = comparison.cells[m][c];
      if (cell.trials.empty()) continue;
      std::vector<Cell> row = {comparison.column_title(c), comparison.methods[m]};
      for (const std::string& metric : metrics) {
        const std::vector<double> values = cell.values(metric);
        std::string text = values.empty() ? "-" : format_metric(metric, mean(values));
        if (!values.empty() && values.size() < cell.trials.size()) {
          text += fmt::format(" ({} of {})", values.size(), cell.trials.size());
        }
        row.emplace_back(std::move(text));
      }
      table.add_row(std::move(row));
    }
  }
  return table;
}

Table significance_table(const Comparison& comparison, const std::vector<PairedComparison>& tests,
                         Correction correction) {
  const bool items =
      std::any_of(tests.begin(), tests.end(), [](const PairedComparison& t) { return t.item_p.has_value(); });
  std::vector<Column> columns = {
      {comparison.column_axis.empty() ? "set" : comparison.column_axis, Align::left},
      {comparison.method_title(), Align::left},
      {"against", Align::left},
      {"pairs"},
      {"difference"},
      {"d_z"},
      {"t"},
      {"p (t)"},
      {fmt::format("p ({})", correction_name(correction))},
      {"p (Wilcoxon)"}};
  if (items) columns.insert(columns.end(), {{"items"}, {"p (items)"}});
  Table table(heading(fmt::format("Paired tests of {}", comparison.metric), comparison), columns);
  const double scale = scale_of(comparison.metric);
  std::size_t column = 0;
  for (const PairedComparison& t : tests) {
    if (t.column != column) table.add_rule();
    column = t.column;
    const auto number = [](const std::optional<double>& v) {
      return v ? format_fixed(*v, 2) : std::string("-");
    };
    std::vector<Cell> row = {
        comparison.column_title(t.column),
        comparison.methods[t.method],
        comparison.methods[t.reference],
        fmt::format("{}", t.test.count),
        format_interval(t.test.mean_difference, t.test.interval, scale, scale == 100 ? 1 : 3),
        number(t.test.effect_size),
        number(t.test.statistic),
        p_text(t),
        t.test.p ? format_p(t.adjusted_p) : "-",
        format_p(t.ranks.p)};
    if (items) {
      row.emplace_back(t.item_p ? fmt::format("{} : {}", t.wins, t.losses) : "-");
      row.emplace_back(format_p(t.item_p));
    }
    table.add_row(std::move(row));
  }
  add_test_notes(table, tests, correction);
  return table;
}

std::string result_tables_text(const TrialSet& set, const std::string& metric) {
  std::string out;
  for (const Comparison& comparison : compare(set, metric)) {
    out += headline_table(comparison).text() + '\n';
    const std::vector<PairedComparison> tests = test_methods(comparison);
    const bool paired = std::any_of(tests.begin(), tests.end(),
                                    [](const PairedComparison& t) { return t.test.count > 1 || t.item_p; });
    if (paired) out += significance_table(comparison, tests).text() + '\n';
  }
  return out;
}

}  // namespace tarn
