#pragma once

#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/run_record.hpp"

#include <string>
#include <vector>

namespace tarn {

/// A picture of a report.
struct Figure {
  std::string file;     ///< name inside plots/, without folder: "accuracy-1.svg"
  std::string caption;  ///< one sentence
  std::string svg;
};

/// Colour and mark of each method: the same in every picture of a report.
class Styles {
 public:
  /// By order of first use.
  [[nodiscard]] Size of(const std::string& method);

 private:
  std::vector<std::string> methods_;
};

/// The strongest colours go to the references of the tests, then to what was trained, then to the rest.
[[nodiscard]] Styles styles_for(const std::vector<Comparison>& results,
                                const std::vector<Comparison>& epochs);

/// The main metric against the columns, one line per method, the range of the seeds as a band; empty unless
/// the columns are at least two numbers.
[[nodiscard]] std::vector<Figure> metric_curves(const std::vector<Comparison>& comparisons, Styles& styles);

/// Mean difference from the method tested against with its interval, a row per column and method; empty
/// without pairs of two or more.
[[nodiscard]] std::vector<Figure> difference_plots(const std::vector<Comparison>& comparisons, Styles& styles,
                                                   const TestOptions& options = {});

/// The scores of single folds or seeds with their mean and its interval, a row per column and method; empty
/// where the columns are numbers, which `metric_curves` draws, and there are no folds.
[[nodiscard]] std::vector<Figure> fold_plots(const std::vector<Comparison>& comparisons, Styles& styles);

/// `metric`, or what `compare` chooses where epochs do not hold it, against steps (or epochs), mean over
/// seeds; one picture per column, several where it has more than twelve methods.
[[nodiscard]] std::vector<Figure> training_curves(const TrialSet& epochs, const std::string& metric,
                                                  Styles& styles);

/// What trials drew themselves, trial by trial, as far as 24 pictures. Throws IoError and DataError for files
/// that cannot be used.
[[nodiscard]] std::vector<Figure> run_pictures(const std::vector<RunRecord>& runs);

/// Cosines between the tokens of each sample, and what each readout weighs.
[[nodiscard]] std::vector<Figure> sample_pictures(const std::vector<SampleText>& samples);

}  // namespace tarn
