#include "tarn/experiments/readouts/readout_comparison_tables.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/text_notes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace tarn {

namespace {

constexpr double bytes_per_mib = 1024.0 * 1024.0;
constexpr double level = 0.05;

/// Columns of one kind of task have the same models: they share their costs.
std::string kind_of(const Comparison& comparison, std::size_t column) {
  return comparison.column_title(column).starts_with(stress_task) ? stress_task : graphs_task;
}

std::vector<std::string> kinds_of(const Comparison& comparison) {
  std::vector<std::string> kinds;
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
    const std::string kind = kind_of(comparison, c);
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds;
}

std::vector<double> values_of_kind(const Comparison& comparison, std::size_t method, const std::string& kind,
                                   const std::string& metric) {
  std::vector<double> all;
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
    if (kind_of(comparison, c) != kind) continue;
    const std::vector<double> values = comparison.cells[method][c].values(metric);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

/// Means of a metric, one for each kind of task: "8578 / 9666".
std::string cost_text(const Comparison& comparison, std::size_t method, const std::string& metric,
                      double factor, int decimals) {
  std::string text;
  for (const std::string& kind : kinds_of(comparison)) {
    const std::vector<double> values = values_of_kind(comparison, method, kind, metric);
    text += text.empty() ? "" : " / ";
    text += values.empty() ? "-" : format_fixed(factor * mean(values), decimals);
  }
  return text;
}

/// Mean ranks over the tasks by method; empty for methods that lack a task.
std::vector<std::optional<double>> ranks_over_tasks(const ReadoutFindings& findings) {
  std::vector<std::optional<double>> ranks(findings.comparison.methods.size());
  if (!findings.over_tasks) return ranks;
  for (std::size_t i = 0; i < findings.over_tasks->methods.size(); ++i)
    ranks[findings.over_tasks->methods[i]] = findings.over_tasks->friedman.mean_ranks[i];
  return ranks;
}

std::vector<std::size_t> rows_by_rank(const std::vector<std::optional<double>>& ranks) {
  std::vector<std::size_t> order(ranks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t m) { return ranks[m].value_or(static_cast<double>(ranks.size() + 1)); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  return order;
}

/// The highest mean of each column.
std::vector<double> best_means(const Comparison& comparison) {
  std::vector<double> best(comparison.columns.size(), 0);
  for (const auto& row : comparison.cells) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::vector<double> values = row[c].values(comparison.metric);
      if (!values.empty()) best[c] = std::max(best[c], mean(values));
    }
  }
  return best;
}

std::string names_text(const Comparison& comparison, const std::vector<std::size_t>& methods) {
  std::vector<std::string> names;
  for (const std::size_t m : methods) names.push_back(comparison.methods[m]);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Methods whose mean is the highest of a column.
std::vector<std::size_t> leaders(const Comparison& comparison, std::size_t column, double best) {
  std::vector<std::size_t> result;
  for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
    const std::vector<double> values = comparison.cells[m][column].values(comparison.metric);
    if (!values.empty() && mean(values) == best) result.push_back(m);
  }
  return result;
}

/// What the tests of a column say of its first leader.
std::string column_note(const ReadoutFindings& findings, std::size_t column, double best) {
  const Comparison& comparison = findings.comparison;
  const std::vector<std::size_t> first = leaders(comparison, column, best);
  if (first.empty()) return "";
  std::vector<std::size_t> open;
  Size below = 0;
  for (const PairedComparison& test : findings.tests) {
    if (test.column != column || (test.method != first[0] && test.reference != first[0])) continue;
    const std::size_t other = test.method == first[0] ? test.reference : test.method;
    if (tells_apart(test, level)) {
      ++below;
    } else if (std::find(first.begin(), first.end(), other) == first.end()) {
      open.push_back(other);
    }
  }
  std::string text = fmt::format("{}: {} {} the highest mean, {} %.", comparison.column_title(column),
                                 names_text(comparison, first), first.size() == 1 ? "has" : "have",
                                 format_fixed(100 * best, 1));
  text += open.empty() ? ""
                       : fmt::format(" Not told apart from {}: {}.", comparison.methods[first[0]],
                                     names_text(comparison, open));
  return text + fmt::format(" Told apart and lower: {} of {}.", below, comparison.methods.size() - 1);
}

std::string ranking_note(const ReadoutFindings& findings) {
  if (!findings.over_tasks) return "";
  const auto tasks = static_cast<Size>(findings.comparison.columns.size());
  const double least = smallest_signed_p(tasks);
  std::string text = fmt::format("Over the {} tasks: Friedman test of equal ranks, p {}.", tasks,
                                 format_p(findings.over_tasks->friedman.p));
  if (least >= level) {
    text += fmt::format(
        " A signed-rank test of two readouts over {} tasks cannot give a p below {:.4g}: the order of this "
        "table is a description, not a finding.",
        tasks, least);
  }
  return text;
}

}  // namespace

ReadoutFindings find_differences(const TrialSet& trials) {
  std::vector<Comparison> comparisons = compare(trials, "accuracy");
  if (comparisons.empty()) throw ValueError("readouts: no trial has finished; expected at least one");
  ReadoutFindings findings{
      .comparison = std::move(comparisons.front()), .tests = {}, .ranked = {}, .over_tasks = std::nullopt};
  findings.tests = test_methods(findings.comparison, {.pairs = TestPairs::all});
  findings.ranked = rank_columns(findings.comparison, findings.tests, level);
  findings.over_tasks = rank_methods(findings.comparison);
  return findings;
}

Table readout_table(const ReadoutFindings& findings, const std::vector<LeftOut>& left_out) {
  const Comparison& comparison = findings.comparison;
  std::vector<Column> columns{{"readout", Align::left}};
  for (std::size_t c = 0; c < comparison.columns.size(); ++c) columns.push_back({comparison.column_title(c)});
  for (const char* title :
       {"mean rank", "better than", "worse than", "open", "parameters", "s/epoch", "s/trial", "MiB/step"})
    columns.push_back({title});
  Table table("Readouts: accuracy in percent, tests and costs", columns);
  const std::vector<std::optional<double>> ranks = ranks_over_tasks(findings);
  const std::vector<double> best = best_means(comparison);
  const std::vector<std::vector<Verdicts>> verdicts = count_verdicts(comparison, findings.tests, level);
  for (const std::size_t m : rows_by_rank(ranks)) {
    std::vector<Cell> row{comparison.methods[m]};
    Verdicts sum;
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      const std::vector<double> values = comparison.cells[m][c].values(comparison.metric);
      row.push_back(values.empty()
                        ? Cell("-")
                        : Cell(format_interval(mean(values), t_interval(values)), mean(values) == best[c]));
      sum.better += verdicts[m][c].better;
      sum.worse += verdicts[m][c].worse;
      sum.open += verdicts[m][c].open;
    }
    row.emplace_back(ranks[m] ? format_fixed(*ranks[m], 1) : "-");
    for (const Size count : {sum.better, sum.worse, sum.open}) row.emplace_back(fmt::format("{}", count));
    row.emplace_back(cost_text(comparison, m, "parameters", 1, 0));
    row.emplace_back(cost_text(comparison, m, "seconds_per_epoch", 1, 3));
    row.emplace_back(cost_text(comparison, m, "seconds", 1, 1));
    row.emplace_back(cost_text(comparison, m, "step_bytes", 1 / bytes_per_mib, 2));
    table.add_row(std::move(row));
  }
  table.add_note(
      "Mean ± half the 95 % t interval over seeds (stress) or folds (graphs-demo). Better, worse, open: over "
      "all tasks, from how many readouts paired t tests tell this one apart at 0.05, and from how many not.");
  table.add_note(
      fmt::format("Holm corrects for all {} pairs of this table. Folds share training data, and "
                  "their tests are corrected for it (Nadeau & Bengio 2003).",
                  findings.tests.size()));
  if (const std::vector<std::string> kinds = kinds_of(comparison); !kinds.empty()) {
    table.add_note(fmt::format(
        "Costs of {}: parameters with head (and backbone), seconds where trials run side by side, memory of "
        "values, gradients and scratch in one training step.",
        fmt::join(kinds, " / ")));
  }
  for (const LeftOut& one : left_out)
    table.add_note(fmt::format("Left out: {}. Reason: {}.", one.readout, one.reason));
  return table;
}

std::vector<std::string> readout_notes(const ReadoutFindings& findings, const ReadoutComparisonPlan& plan) {
  std::vector<std::string> notes;
  const std::vector<double> best = best_means(findings.comparison);
  for (std::size_t c = 0; c < best.size(); ++c) notes.push_back(column_note(findings, c, best[c]));
  notes.push_back(ranking_note(findings));
  notes.emplace_back(
      "One budget and one learning rate for all, nothing tuned: a low figure may be a matter of training. "
      "\"Not told apart\" says that these trials cannot decide, not that two readouts are equal.");
  if (plan.stress) {
    notes.push_back(fmt::format(
        "stress: {} epochs of readout and head together; readouts without parameters pool once and train the "
        "head for {} epochs. States come from the embedded synthetic encoder: accuracy says nothing about "
        "language.",
        *plan.stress->options.epochs, *plan.stress->options.head_epochs));
  }
  if (plan.graphs) {
    notes.push_back(fmt::format(
        "graphs-demo: {} layers of {} with each readout, {} epochs, tested at the epoch that is best on {} % "
        "of the training graphs; the folds are the repeats.",
        plan.graphs->model.widths.size(), plan.graphs->model.conv, *plan.graphs->run.epochs,
        format_number(100 * plan.graphs->run.validation)));
  }
  std::erase(notes, "");
  return notes;
}

}  // namespace tarn
