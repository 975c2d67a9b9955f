#include "tarn/experiments/sphere/sphere_tables.hpp"

#include "tarn/experiments/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace {

/// The trials of a method in one column.
struct Row {
  std::size_t column = 0;
  std::string readout;
  bool baseline = false;
  std::vector<const Value*> trials;

  [[nodiscard]] std::vector<double> values(const std::string& metric) const {
    std::vector<double> result;
    for (const Value* trial : trials) {
      const Value* value = trial->find(metric);
      if (value != nullptr && value->number()) result.push_back(*value->number());
    }
    return result;
  }
  [[nodiscard]] std::optional<double> mean_of(const std::string& metric) const {
    const std::vector<double> all = values(metric);
    if (all.empty()) return std::nullopt;
    return mean(all);
  }
};

std::vector<Row> rows_of(const SphereRun& run) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < run.trials().size(); ++i) {
    const SphereTrial& trial = run.trials()[i];
    const Value* line = run.finished(i);
    if (line == nullptr) continue;
    if (rows.empty() || rows.back().column != trial.column || rows.back().readout != trial.readout) {
      rows.push_back({trial.column, trial.readout, trial.baseline, {}});
    }
    rows.back().trials.push_back(line);
  }
  return rows;
}

std::string number_text(const std::optional<double>& value) {
  return value ? format_number(*value) : "-";
}

std::string whole_text(const std::optional<double>& value) {
  return value ? fmt::format("{:.0f}", *value) : "-";
}

/// The mean with half its interval over seeds; of one seed the mean and, in brackets, the standard error over
/// test maps.
std::string metric_text(const Row& row, const std::string& metric) {
  const std::vector<double> values = row.values(metric);
  if (values.empty()) return "-";
  const double scale = is_share(metric) ? 100 : 1;
  const double average = scale * mean(values);
  const int decimals =
      average == 0 ? 2 : std::clamp(2 - static_cast<int>(std::floor(std::log10(std::abs(average)))), 1, 6);
  if (values.size() > 1) return format_interval(mean(values), t_interval(values), scale, decimals);
  const auto error = row.mean_of(metric + "_deviation");
  return error
             ? fmt::format("{} ({})", format_fixed(average, decimals), format_fixed(scale * *error, decimals))
             : format_fixed(average, decimals);
}

/// The method of the same column whose name comes first in `names`.
const Row* reference(const std::vector<Row>& rows, std::size_t column,
                     const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const Row& row : rows) {
      if (row.column == column && row.readout == name) return &row;
    }
  }
  return nullptr;
}

std::string ratio_text(const Row& row, const Row* reference, const std::string& metric) {
  if (reference == nullptr || reference == &row) return "-";
  const auto own = row.mean_of(metric), other = reference->mean_of(metric);
  return own && other && *other > 0 ? fmt::format("{:.2f}", *own / *other) : "-";
}

Table image_table(const SphereRun& run, const std::string& title) {
  Table table(title, {{"size"},
                      {"readout", Align::left},
                      {"accuracy %"},
                      {"validation %"},
                      {"train %"},
                      {"coverage %"},
                      {"training maps"},
                      {"test maps"},
                      {"parameters"},
                      {"epoch"},
                      {"epochs"},
                      {"s/epoch"},
                      {"seeds"}});
  for (const Row& row : rows_of(run)) {
    table.add_row(
        {format_number(run.columns()[row.column].size), row.readout, metric_text(row, "accuracy"),
         metric_text(row, "validation_accuracy"), metric_text(row, "train_accuracy"),
         number_text(row.mean_of("coverage") ? std::optional(100 * *row.mean_of("coverage")) : std::nullopt),
         whole_text(row.mean_of("train_maps")), whole_text(row.mean_of("test_maps")),
         whole_text(row.mean_of("parameters")), number_text(row.mean_of("epoch")),
         number_text(row.mean_of("epochs")), number_text(row.mean_of("seconds_per_epoch")),
         fmt::format("{}", row.trials.size())});
  }
  return table;
}

Table field_table(const SphereRun& run, const std::string& title) {
  const std::string metric = sphere_metric(run.plan().task);
  const std::vector<Row> rows = rows_of(run);
  const bool both = run.plan().task == SphereTask::eb;
  std::vector<Column> columns = {{"f_sky"},
                                 {"kept %"},
                                 {"noise"},
                                 {"method", Align::left},
                                 {metric == "rmse" ? "rmse" : "error %"},
                                 {"/ Fisher"},
                                 {"/ likelihood"},
                                 {"bias"}};
  if (both) {
    columns.push_back({"E error %"});
    columns.push_back({"B error %"});
  }
  for (const char* name :
       {"training maps", "test maps", "parameters", "epoch", "epochs", "s/epoch", "seeds"}) {
    columns.push_back({name});
  }
  Table table(title, columns);
  std::size_t column = 0;
  for (const Row& row : rows) {
    if (row.column != column) table.add_rule();
    column = row.column;
    const SphereColumn& c = run.columns()[column];
    const auto kept = row.mean_of("coverage");
    std::vector<Cell> cells = {
        format_number(c.f_sky),
        number_text(kept ? std::optional(100 * *kept) : std::nullopt),
        format_number(c.noise),
        row.readout,
        metric_text(row, metric),
        ratio_text(row, reference(rows, column, {"fisher"}), metric),
        ratio_text(row, reference(rows, column, {"spectrum-likelihood", "pixel-likelihood"}), metric),
        number_text(row.mean_of("bias"))};
    if (both) {
      cells.push_back(metric_text(row, "0_percent_error"));
      cells.push_back(metric_text(row, "1_percent_error"));
    }
    for (const char* name : {"train_maps", "test_maps", "parameters"}) {
      cells.push_back(whole_text(row.mean_of(name)));
    }
    for (const char* name : {"epoch", "epochs", "seconds_per_epoch"}) {
      cells.push_back(number_text(row.mean_of(name)));
    }
    cells.push_back(fmt::format("{}", row.trials.size()));
    table.add_row(std::move(cells));
  }
  return table;
}

}  // namespace

std::string sphere_metric(SphereTask task) {
  return task == SphereTask::images ? "accuracy" : task == SphereTask::tau ? "rmse" : "percent_error";
}

Table sphere_table(const SphereRun& run) {
  switch (run.plan().task) {
    case SphereTask::images:
      return image_table(run, "Images on the sphere");
    case SphereTask::peak:
      return field_table(run, "Peak of the spectrum: mean of 100 |l - l_p| / l_p");
    case SphereTask::eb:
      return field_table(run, "Peaks of the E and B spectra: mean of 100 |l - l_p| / l_p");
    default:
      return field_table(run, "Optical depth: root of the mean squared error of tau");
  }
}

std::vector<std::string> sphere_notes(const SphereRun& run) {
  const SpherePlan& plan = run.plan();
  std::vector<std::string> notes;
  const bool chooses =
      plan.task == SphereTask::images ? plan.images.validation > 0 : plan.fields.validation > 0;
  notes.push_back(chooses ? "Tests are those of the epoch with the lowest validation loss."
                          : "Tests are those of the last epoch: no validation maps were held out.");
  if (plan.run.seeds.size() == 1) {
    notes.push_back("One seed: numbers in brackets are standard errors over the test maps alone.");
  }
  if (plan.task == SphereTask::images) {
    if (plan.protocol == SphereProtocol::rotated) {
      notes.push_back(
          "rotated: which digits the released model merged, and how it was turned, is a reading of its 9 "
          "outputs; its log reached 96.05 % on validation images that were projections of its own training "
          "file, after 19 epochs of 100,000 projections. Here validation images are never trained on.");
    }
    return notes;
  }
  notes.push_back(
      "fisher: least error of an unbiased Gaussian estimate, averaged over the test maps; on partial skies "
      "it "
      "scales the full sky's by the share kept, which is an approximation that a likelihood may beat.");
  notes.push_back(
      "spectrum-likelihood: most likely parameter of the spectrum of the map, analysed with ten iterations; "
      "exact-likelihood: of the coefficients that the map was made of; pixel-likelihood: of the pixels "
      "kept.");
  if (plan.task == SphereTask::eb || plan.task == SphereTask::tau) {
    notes.push_back("Likelihoods of polarised fields are had on the full sky alone.");
  }
  return notes;
}

}  // namespace tarn
