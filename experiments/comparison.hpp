#pragma once

#include "tarn/experiments/statistics.hpp"
#include "tarn/experiments/table.hpp"
#include "tarn/experiments/trials.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// The trials of one method in one column, by seed and fold.
struct ComparedCell {
  std::vector<const Trial*> trials;

  [[nodiscard]] std::vector<double> values(std::string_view metric) const;
};

/// Methods side by side: the trials that agree in every axis but the method's own (readout, graph, head,
/// run), the column's and the repeats'. Points into the TrialSet it was made from.
struct Comparison {
  std::string title;           ///< the axes that all its trials share: "mode matched, encoder synthetic"
  std::string metric;          ///< the main one
  std::string column_axis;     ///< "ratio", "dataset", ...; "" with one column of everything
  std::vector<Value> columns;  ///< ascending if they are numbers
  std::vector<std::string> methods;   ///< "glot", or "glot (window)" where a readout occurs more than once
  std::vector<std::string> readouts;  ///< the readout of each method
  std::vector<std::vector<ComparedCell>> cells;  ///< [method][column]

  [[nodiscard]] std::string column_title(std::size_t column) const;
};

/// `metric` chooses the main metric; by default the first of accuracy, spearman, f1, mcc, macro_f1, loss
/// that occurs, or the first metric at all.
[[nodiscard]] std::vector<Comparison> compare(const TrialSet& set, const std::string& metric = "");
std::vector<Comparison> compare(TrialSet&& set, const std::string& metric = "") = delete;

/// One method against a reference in one column. Differences are method - reference.
struct PairedComparison {
  std::size_t column = 0;
  std::size_t method = 0;
  std::size_t reference = 0;
  PairedTest test;               ///< corrected for overlapping training sets where there are folds
  WilcoxonTest ranks;            ///< exact
  double adjusted_p = 1;         ///< Holm over all comparisons of the list; 1 where p is undefined
  Size wins = 0;                 ///< items that only the method gets right, over all pairs
  Size losses = 0;               ///< items that only the reference gets right
  std::optional<double> item_p;  ///< McNemar's exact test on them; nullopt if items were not kept
};

/// The methods whose readout is `glot`, else the first method.
[[nodiscard]] std::vector<std::size_t> references_of(const Comparison& comparison);

/// Every other method against each reference. Pairs are the seeds and folds that both have.
[[nodiscard]] std::vector<PairedComparison> test_against_reference(const Comparison& comparison);

/// Mean and half the 95 % interval of the main metric, methods by columns.
[[nodiscard]] Table headline_table(const Comparison& comparison);
/// Means of all metrics but the main one, a row per column and method.
[[nodiscard]] Table detail_table(const Comparison& comparison, const TrialSet& set);
/// The tests; its notes say what so many pairs can show and what not.
[[nodiscard]] Table significance_table(const Comparison& comparison,
                                       const std::vector<PairedComparison>& tests);

/// What `tarn run` prints at its end: headline and tests of every comparison.
[[nodiscard]] std::string result_tables_text(const TrialSet& set, const std::string& metric = "");

}  // namespace tarn
