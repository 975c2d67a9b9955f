#include "tarn/experiments/comparison.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace tarn {

namespace {

constexpr std::array<std::string_view, 5> method_axes = {"readout", "filter", "graph", "head", "run"};
constexpr std::array<std::string_view, 9> column_axes = {"ratio", "dataset", "task", "train", "layer",
                                                         "f_sky", "noise",   "size", "nside"};
constexpr std::array<std::string_view, 3> repeat_axes = {"seed", "fold", "repeat"};
constexpr std::array<std::string_view, 6> main_metrics = {"accuracy", "spearman", "f1",
                                                          "mcc",      "macro_f1", "loss"};

template <class Range, class T>
bool contains(const Range& range, const T& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

template <class T>
std::size_t index_of(std::vector<T>& list, const T& value) {
  const auto it = std::find(list.begin(), list.end(), value);
  if (it != list.end()) return static_cast<std::size_t>(it - list.begin());
  list.push_back(value);
  return list.size() - 1;
}

std::string choose_metric(const TrialSet& set, const std::string& asked) {
  if (contains(set.metrics, asked)) return asked;
  for (const std::string_view name : main_metrics) {
    if (contains(set.metrics, name)) return std::string(name);
  }
  return set.metrics.empty() ? "" : set.metrics.front();
}

/// The first known column axis that has more than one value; else the first that occurs.
std::string choose_column_axis(const TrialSet& set) {
  std::string first;
  for (const std::string_view name : column_axes) {
    if (!contains(set.axes, name)) continue;
    if (first.empty()) first = name;
    const std::string text = axis_text(set.trials.front().axis(name));
    const bool varies = std::any_of(set.trials.begin(), set.trials.end(),
                                    [&](const Trial& t) { return axis_text(t.axis(name)) != text; });
    if (varies) return std::string(name);
  }
  return first;
}

std::string group_title(const TrialSet& set, const Trial& trial, const std::string& column_axis) {
  std::string title;
  for (const std::string& name : set.axes) {
    if (contains(method_axes, name) || is_repeat_axis(name) || name == column_axis) continue;
    const std::string text = axis_text(trial.axis(name));
    if (!text.empty()) title += fmt::format("{}{} {}", title.empty() ? "" : ", ", name, text);
  }
  return title;
}

/// Names of the methods of a group of trials: "glot", or "glot (window)" with those of filter, graph, head
/// and run in which trials of the readout differ inside a column.
class MethodNames {
 public:
  MethodNames(const std::vector<const Trial*>& group, const std::string& column_axis) {
    std::map<std::tuple<std::string, std::string, std::string_view>, std::string> seen;
    for (const Trial* trial : group) {
      const std::string readout = axis_text(trial->axis("readout")),
                        column = axis_text(trial->axis(column_axis));
      for (const std::string_view axis : method_axes) {
        if (axis == "readout") continue;
        const std::string text = axis_text(trial->axis(axis));
        const auto entry = seen.try_emplace({readout, column, axis}, text).first;
        if (entry->second != text) varying_.emplace(readout, axis);
      }
    }
  }

  [[nodiscard]] std::string operator()(const Trial& trial) const {
    const std::string readout = axis_text(trial.axis("readout"));
    std::string extra;
    for (const std::string_view axis : method_axes) {
      if (!varying_.contains({readout, axis})) continue;
      const std::string mine = axis_text(trial.axis(axis));
      if (!mine.empty()) extra += (extra.empty() ? "" : ", ") + mine;
    }
    if (readout.empty()) return extra.empty() ? "all" : extra;
    return extra.empty() ? readout : fmt::format("{} ({})", readout, extra);
  }

 private:
  std::set<std::pair<std::string, std::string_view>> varying_;
};

void sort_columns(std::vector<Value>& columns) {
  const bool numbers =
      std::all_of(columns.begin(), columns.end(), [](const Value& v) { return v.number().has_value(); });
  if (!numbers) return;
  std::sort(columns.begin(), columns.end(),
            [](const Value& a, const Value& b) { return *a.number() < *b.number(); });
}

Comparison build(const std::string& title, const std::vector<const Trial*>& group,
                 const std::string& column_axis, const std::string& metric) {
  Comparison result{.title = title, .metric = metric, .column_axis = column_axis};
  for (const Trial* trial : group) index_of(result.columns, trial->axis(column_axis));
  sort_columns(result.columns);
  const MethodNames name_of(group, column_axis);
  for (const Trial* trial : group) {
    const std::size_t method = index_of(result.methods, name_of(*trial));
    const std::size_t column = index_of(result.columns, trial->axis(column_axis));
    if (method == result.cells.size()) {
      result.cells.emplace_back(result.columns.size());
      result.readouts.push_back(axis_text(trial->axis("readout")));
    }
    result.cells[method][column].trials.push_back(trial);
  }
  return result;
}

std::string repeat_key(const Trial& trial) {
  std::string key;
  for (const std::string_view name : repeat_axes) key += axis_text(trial.axis(name)) + '/';
  return key;
}

/// Trials of both cells with the same seed and fold.
std::vector<std::pair<const Trial*, const Trial*>> pairs_of(const ComparedCell& a, const ComparedCell& b) {
  std::map<std::string, const Trial*> by_key;
  for (const Trial* trial : b.trials) by_key[repeat_key(*trial)] = trial;
  std::vector<std::pair<const Trial*, const Trial*>> pairs;
  for (const Trial* trial : a.trials) {
    const auto it = by_key.find(repeat_key(*trial));
    if (it != by_key.end()) pairs.emplace_back(trial, it->second);
  }
  return pairs;
}

/// How many folds the trials have; 1 without a fold axis.
std::size_t count_folds(const ComparedCell& cell) {
  std::vector<std::string> folds;
  for (const Trial* trial : cell.trials) index_of(folds, axis_text(trial->axis("fold")));
  return folds.size();
}

void count_items(PairedComparison& result, const std::vector<std::pair<const Trial*, const Trial*>>& pairs) {
  for (const auto& [a, b] : pairs) {
    if (a->correct.empty() || b->correct.empty()) return;
    const std::vector<bool> first = unpack_correct(a->correct), second = unpack_correct(b->correct);
    if (first.size() != second.size()) return;
    for (std::size_t i = 0; i < first.size(); ++i) {
      result.wins += first[i] && !second[i] ? 1 : 0;
      result.losses += second[i] && !first[i] ? 1 : 0;
    }
  }
  result.item_p = exact_binomial_test(result.wins, result.losses);
}

std::optional<PairedComparison> test_pair(const Comparison& comparison, std::size_t column,
                                          std::size_t method, std::size_t reference) {
  PairedComparison result{.column = column, .method = method, .reference = reference};
  const ComparedCell& cell = comparison.cells[method][column];
  std::vector<double> a, b;
  std::vector<std::pair<const Trial*, const Trial*>> pairs;
  for (const auto& pair : pairs_of(cell, comparison.cells[reference][column])) {
    const auto mine = pair.first->metric(comparison.metric), theirs = pair.second->metric(comparison.metric);
    if (!mine || !theirs) continue;
    pairs.push_back(pair);
    a.push_back(*mine);
    b.push_back(*theirs);
  }
  if (pairs.empty()) return std::nullopt;
  const std::size_t folds = count_folds(cell);
  result.test = folds > 1 ? corrected_resampled_t_test(a, b, 1.0 / static_cast<double>(folds - 1))
                          : paired_t_test(a, b);
  const std::vector<double> differences = rounded_differences(a, b);
  result.ranks = wilcoxon_test(differences, WilcoxonMethod::exact);
  count_items(result, pairs);
  return result;
}

/// Throws for a trial of `cell` that `other` has no partner for.
void require_repeats_of(const ComparedCell& cell, const std::string& name, const ComparedCell& other,
                        const std::string& other_name) {
  for (const Trial* trial : cell.trials) {
    const bool there = std::any_of(other.trials.begin(), other.trials.end(), [&](const Trial* candidate) {
      return repeat_key(*candidate) == repeat_key(*trial);
    });
    if (there) continue;
    std::string repeats;
    for (const std::string_view axis : repeat_axes) {
      const std::string text = axis_text(trial->axis(axis));
      if (!text.empty()) repeats += fmt::format("{}{} {}", repeats.empty() ? "" : ", ", axis, text);
    }
    throw DataError(
        fmt::format("comparison: {} has {} and {} has not; expected the same folds of every method", name,
                    repeats, other_name));
  }
}

}  // namespace

std::vector<double> ComparedCell::values(std::string_view metric) const {
  std::vector<double> result;
  for (const Trial* trial : trials) {
    if (const auto v = trial->metric(metric)) result.push_back(*v);
  }
  return result;
}

std::string Comparison::column_title(std::size_t column) const {
  const std::string text = axis_text(columns[column]);
  return text.empty() ? metric : text;
}

std::string Comparison::method_title() const {
  const bool named =
      std::any_of(readouts.begin(), readouts.end(), [](const auto& name) { return !name.empty(); });
  return named || readouts.empty() ? "readout" : "method";
}

std::vector<Comparison> compare(const TrialSet& set, const std::string& metric) {
  if (set.trials.empty()) return {};
  const std::string column_axis = choose_column_axis(set);
  std::vector<std::string> titles;
  std::vector<std::vector<const Trial*>> groups;
  for (const Trial& trial : set.trials) {
    const std::size_t group = index_of(titles, group_title(set, trial, column_axis));
    if (group == groups.size()) groups.emplace_back();
    groups[group].push_back(&trial);
  }
  const std::string main = choose_metric(set, metric);
  std::vector<Comparison> result;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const bool measured = std::any_of(groups[i].begin(), groups[i].end(),
                                      [&](const Trial* trial) { return trial->metric(main).has_value(); });
    if (measured) result.push_back(build(titles[i], groups[i], column_axis, main));
  }
  return result;
}

std::vector<std::size_t> references_of(const Comparison& comparison) {
  for (const char* readout : {"glot", "histograph"}) {
    std::vector<std::size_t> references;
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      if (comparison.readouts[m] == readout) references.push_back(m);
    }
    if (!references.empty()) return references;
  }
  return {0};
}

std::vector<PairedComparison> test_methods(const Comparison& comparison, const TestOptions& options) {
  std::vector<std::size_t> references = references_of(comparison);
  if (options.pairs == TestPairs::all) {
    references.resize(comparison.methods.size());
    std::iota(references.begin(), references.end(), std::size_t{0});
  }
  std::vector<PairedComparison> tests;
  for (std::size_t column = 0; column < comparison.columns.size(); ++column) {
    for (const std::size_t reference : references) {
      for (std::size_t method = 0; method < comparison.methods.size(); ++method) {
        // Two references are compared once.
        if (method == reference || (contains(references, method) && method < reference)) continue;
        if (auto test = test_pair(comparison, column, method, reference)) tests.push_back(std::move(*test));
      }
    }
  }
  std::vector<double> p;
  for (const PairedComparison& test : tests) p.push_back(test.test.p.value_or(1));
  const std::vector<double> adjusted = adjust(p, options.correction);
  for (std::size_t i = 0; i < tests.size(); ++i) tests[i].adjusted_p = adjusted[i];
  return tests;
}

PairedScores paired_scores(const Comparison& comparison, std::size_t column) {
  PairedScores result;
  std::map<std::string, std::vector<double>> by_repeat;
  for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
    const std::size_t known = result.methods.size();
    for (const Trial* trial : comparison.cells[m][column].trials) {
      const auto value = trial->metric(comparison.metric);
      if (!value) continue;
      if (result.methods.size() == known) result.methods.push_back(m);
      std::vector<double>& row = by_repeat[repeat_key(*trial)];
      if (row.size() == known) row.push_back(*value);
    }
  }
  for (auto& [key, row] : by_repeat) {
    if (row.size() == result.methods.size()) result.values.push_back(std::move(row));
  }
  return result;
}

std::string correction_name(Correction correction) {
  return correction == Correction::holm ? "Holm" : "Benjamini-Hochberg";
}

std::vector<double> adjust(std::span<const double> p, Correction correction) {
  return correction == Correction::holm ? holm(p) : benjamini_hochberg(p);
}

void require_same_folds(const Comparison& comparison) {
  for (std::size_t column = 0; column < comparison.columns.size(); ++column) {
    const ComparedCell* first = nullptr;
    std::string name;
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      const ComparedCell& cell = comparison.cells[m][column];
      if (cell.trials.empty() || axis_text(cell.trials.front()->axis("fold")).empty()) continue;
      if (first == nullptr) {
        first = &cell;
        name = comparison.methods[m];
        continue;
      }
      require_repeats_of(*first, name, cell, comparison.methods[m]);
      require_repeats_of(cell, comparison.methods[m], *first, name);
    }
  }
}

}  // namespace tarn
