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

/// Methods side by side: the trials that agree in every axis but the method's own (readout, filter,
/// graph, head, run), the column's and the repeats'. Trials that were not measured by the main metric, such
/// as those of a search, are left out if none of their group was. Points into the TrialSet it was made from.
struct Comparison {
  std::string title;           ///< the axes that all its trials share: "mode matched, encoder synthetic"
  std::string metric;          ///< the main one
  std::string column_axis;     ///< "ratio", "dataset", ...; "" with one column of everything
  std::vector<Value> columns;  ///< ascending if they are numbers
  std::vector<std::string> methods;   ///< "glot", or "glot (window)" where a readout occurs twice in a column
  std::vector<std::string> readouts;  ///< the readout of each method
  std::vector<std::vector<ComparedCell>> cells;  ///< [method][column]

  [[nodiscard]] std::string column_title(std::size_t column) const;
  /// "readout", or "method" where no trial has one.
  [[nodiscard]] std::string method_title() const;
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
  double adjusted_p = 1;         ///< for all comparisons of the list; 1 where p is undefined
  Size wins = 0;                 ///< items that only the method gets right, over all pairs
  Size losses = 0;               ///< items that only the reference gets right
  std::optional<double> item_p;  ///< McNemar's exact test on them; nullopt if items were not kept
};

/// The methods whose readout is `glot`, else those whose readout is `histograph`, else the first method.
[[nodiscard]] std::vector<std::size_t> references_of(const Comparison& comparison);

enum class TestPairs { reference, all };
enum class Correction { holm, benjamini_hochberg };
/// "Holm", "Benjamini-Hochberg"
[[nodiscard]] std::string correction_name(Correction correction);

/// p adjusted for its number of tests, in the order given.
[[nodiscard]] std::vector<double> adjust(std::span<const double> p, Correction correction);

/// Which methods are tested against which, and how p is adjusted for their number.
struct TestOptions {
  TestPairs pairs = TestPairs::reference;
  Correction correction = Correction::holm;
};

/// Every other method against each reference, or every pair of methods. Pairs of scores are the seeds and
/// folds that both have.
[[nodiscard]] std::vector<PairedComparison> test_methods(const Comparison& comparison,
                                                         const TestOptions& options = {});

/// Scores of one column that can be ranked against each other.
struct PairedScores {
  std::vector<std::size_t> methods;         ///< those with scores in the column
  std::vector<std::vector<double>> values;  ///< [repeat][of methods], the repeats that all of them have
};
[[nodiscard]] PairedScores paired_scores(const Comparison& comparison, std::size_t column);

/// Throws DataError, naming method and fold, unless all methods of a column have the same seeds, folds and
/// repeats; comparisons without folds pass.
void require_same_folds(const Comparison& comparison);

/// Do the methods differ over several data sets? From their means on each (Demsar 2006).
struct RankedMethods {
  std::vector<std::size_t> methods;  ///< those with a score on every column
  FriedmanTest friedman;             ///< mean ranks in the order of `methods`
  struct Pair {
    std::size_t first = 0;  ///< into `methods`
    std::size_t second = 0;
    WilcoxonTest ranks;  ///< of the differences over the data sets
    double adjusted_p = 1;
  };
  std::vector<Pair> pairs;
};
/// nullopt unless the columns are at least two data sets or tasks, and two methods have scores on all of
/// them.
[[nodiscard]] std::optional<RankedMethods> rank_methods(const Comparison& comparison,
                                                        Correction correction = Correction::holm);

/// Mean and half the 95 % interval of the main metric, methods by columns.
[[nodiscard]] Table headline_table(const Comparison& comparison);
/// Means of all metrics but the main one, a row per column and method.
[[nodiscard]] Table detail_table(const Comparison& comparison, const TrialSet& set);
/// The tests; its notes say what so many pairs can show and what not.
[[nodiscard]] Table significance_table(const Comparison& comparison,
                                       const std::vector<PairedComparison>& tests,
                                       Correction correction = Correction::holm);
/// Mean ranks over data sets, and the tests between them.
[[nodiscard]] Table rank_table(const Comparison& comparison, const RankedMethods& ranked);
[[nodiscard]] Table rank_test_table(const Comparison& comparison, const RankedMethods& ranked,
                                    Correction correction = Correction::holm);

/// What `tarn run` prints at its end: headline and tests of every comparison.
[[nodiscard]] std::string result_tables_text(const TrialSet& set, const std::string& metric = "");

}  // namespace tarn
