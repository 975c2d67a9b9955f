#include "tarn/experiments/text_notes.hpp"

#include "tarn/experiments/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

std::string percent(double share) {
  return fmt::format("{:.1f}", 100 * share);
}

}  // namespace

std::string standard_error_note(const TrialSet& trials) {
  std::size_t count = 0;
  for (const Trial& trial : trials.trials)
    count = std::max(count, unpack_correct(trial.correct.empty() ? "0:" : trial.correct).size());
  if (count == 0) return "";
  const auto error = [&](double p) { return 100 * std::sqrt(p * (1 - p) / static_cast<double>(count)); };
  return fmt::format(
      "Accuracy after the last epoch. {} evaluation texts: one standard error is {:.1f} points at 50 %, "
      "{:.1f} at 99 %. "
      "The best epoch is chosen on the evaluation texts, which is worth about 2 points at chance level.",
      count, error(0.5), error(0.99));
}

std::string ceiling_table(const TrialSet& trials) {
  std::string out;
  for (const Comparison& comparison : compare(trials, "accuracy")) {
    std::vector<Column> columns{{"readout", Align::left}};
    for (std::size_t c = 0; c < comparison.columns.size(); ++c) {
      columns.push_back({fmt::format("{} {}", comparison.column_axis, comparison.column_title(c))});
    }
    Table table(fmt::format("linear head, in brackets the best linear head, percent: {}", comparison.title),
                columns);
    for (std::size_t m = 0; m < comparison.methods.size(); ++m) {
      std::vector<Cell> row{comparison.methods[m]};
      for (const ComparedCell& cell : comparison.cells[m]) {
        const std::vector<double> trained = cell.values("accuracy"), best = cell.values("logistic_accuracy");
        if (trained.empty() || best.empty() || cell.values("steps").empty()) break;
        row.emplace_back(fmt::format("{} ({})", percent(mean(trained)), percent(mean(best))));
      }
      if (row.size() == columns.size()) table.add_row(std::move(row));
    }
    if (table.num_rows() == 0) continue;
    table.add_note(
        "The best linear head is a converged logistic regression on standardised features: the fair ceiling "
        "of a "
        "readout without parameters.");
    out += table.text() + "\n";
  }
  return out;
}

}  // namespace tarn
