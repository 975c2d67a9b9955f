#include "tarn/experiments/graphs/graph_tables.hpp"

#include "tarn/experiments/statistics.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tarn {

namespace {

std::string_view protocol_name(Protocol protocol) {
  return enum_names(protocol)[static_cast<std::size_t>(protocol)];
}

/// GIN's papers and the fair comparison divide by n, OGB by n - 1.
Divisor divisor_of(Protocol protocol) {
  return protocol == Protocol::gin_cv || protocol == Protocol::fair ? Divisor::population : Divisor::sample;
}

std::string_view divisor_name(Divisor divisor) {
  return divisor == Divisor::population ? "n" : "n - 1";
}

/// "gin 5x64", "gin 64-32"
std::string model_name(const GraphModelOptions& model, const std::string& readout) {
  if (readout == edge_free) return "no edges";
  const std::vector<Size>& widths = model.widths;
  const bool equal = std::all_of(widths.begin(), widths.end(), [&](Size w) { return w == widths.front(); });
  return equal ? fmt::format("{} {}x{}", model.conv, widths.size(), widths.front())
               : fmt::format("{} {}", model.conv, fmt::join(widths, "-"));
}

/// Trials of a readout that were tested.
std::vector<const Trial*> tested(const TrialSet& trials, const std::string& readout,
                                 const std::string& metric) {
  std::vector<const Trial*> result;
  for (const Trial& trial : trials.trials) {
    if (axis_text(trial.axis("readout")) == readout && trial.metric(metric)) result.push_back(&trial);
  }
  return result;
}

std::vector<double> column(const std::vector<const Trial*>& trials, const std::string& metric) {
  std::vector<double> values;
  for (const Trial* trial : trials) {
    if (const auto value = trial->metric(metric)) values.push_back(*value);
  }
  return values;
}

/// "88.3 ± 5.1", in percent for shares; "-" without values.
std::string mean_and_deviation(const std::vector<double>& values, const std::string& metric,
                               Divisor divisor) {
  if (values.empty()) return "-";
  const double scale = is_share(metric) ? 100 : 1;
  const int decimals = is_share(metric) ? 1 : 3;
  const auto deviation = standard_deviation(values, divisor);
  const std::string centre = format_fixed(scale * mean(values), decimals);
  return deviation ? centre + " ± " + format_fixed(scale * *deviation, decimals) : centre;
}

/// "56", or "40 to 120" where trials differ.
std::string range_text(const std::vector<double>& values) {
  if (values.empty()) return "-";
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const std::string first = format_number(*low);
  return *low == *high ? first : fmt::format("{} to {}", first, format_number(*high));
}

std::string mean_text(const std::vector<double>& values, const std::string& metric, int decimals) {
  if (values.empty()) return "-";
  const bool share = is_share(metric);
  return format_fixed((share ? 100 : 1) * mean(values), share ? 1 : decimals);
}

std::size_t count_axis(const std::vector<const Trial*>& trials, const char* axis) {
  std::set<std::string> values;
  for (const Trial* trial : trials) values.insert(axis_text(trial->axis(axis)));
  return values.size();
}

}  // namespace

Table protocol_table(const TrialSet& trials, const GraphPlan& plan, const GraphRunData& data,
                     const std::string& scores) {
  const std::string& metric = data.task.metric;
  const Divisor divisor = divisor_of(plan.run.protocol);
  Table table(fmt::format("{} on {} (split {}): {}{}, mean ± standard deviation with divisor {}",
                          protocol_name(plan.run.protocol), data.set.name(), data.split, metric,
                          is_share(metric) ? " in percent" : "", divisor_name(divisor)),
              {{"readout", Align::left},
               {metric},
               {"epoch"},
               {"last"},
               {"train"},
               {"protocol", Align::left},
               {"set", Align::left},
               {"features", Align::left},
               {"model", Align::left},
               {"parameters"},
               {"lr"},
               {"epochs"},
               {"seeds"},
               {"trials"},
               {"s/epoch"},
               {"scores", Align::left}});
  std::vector<double> means;
  for (const std::string& readout : plan.run.readouts) {
    const std::vector<double> values = column(tested(trials, readout, metric), metric);
    if (!values.empty()) means.push_back((is_lower_better(metric) ? -1 : 1) * mean(values));
  }
  for (const std::string& readout : plan.run.readouts) {
    const std::vector<const Trial*> own = tested(trials, readout, metric);
    const std::vector<double> values = column(own, metric);
    const bool best = !values.empty() && (is_lower_better(metric) ? -1 : 1) * mean(values) ==
                                             *std::max_element(means.begin(), means.end());
    table.add_row({readout, Cell(mean_and_deviation(values, metric, divisor), best),
                   range_text(column(own, "epoch")), mean_text(column(own, "last_" + metric), metric, 3),
                   mean_text(column(own, "train_accuracy"), "accuracy", 3),
                   std::string(protocol_name(plan.run.protocol)), data.set.name(), data.set.features(),
                   model_name(plan.model, readout), range_text(column(own, "parameters")),
                   format_number(plan.lr(readout)), range_text(column(own, "epochs")),
                   fmt::format("{}", count_axis(own, "seed")), fmt::format("{}", own.size()),
                   mean_text(column(own, "seconds_per_epoch"), "seconds", 4), scores});
  }
  for (const std::string& note : protocol_notes(trials, plan, data)) table.add_note(note);
  return table;
}

std::vector<std::string> protocol_notes(const TrialSet& trials, const GraphPlan& plan,
                                        const GraphRunData& data) {
  const std::string& metric = data.task.metric;
  std::vector<std::string> notes;
  switch (plan.run.protocol) {
    case Protocol::gin_cv:
      notes.push_back(
          "gin-cv chooses the one epoch of all folds by the folds' own tests and so overstates what the "
          "model "
          "does on new graphs; compare it with gin-cv numbers alone (Xu et al. 2019).");
      break;
    case Protocol::fair:
      notes.push_back(fmt::format(
          "fair chooses among {} settings by a hold-out of each fold's training part and tests the "
          "mean of {} retrained models (Errica et al. 2020).",
          plan.grid.size(), plan.run.retrain));
      break;
    case Protocol::holdout:
      notes.push_back("holdout tests at the epoch of the best validation; trials are seeds on one split.");
      break;
    case Protocol::repeated_cv:
      notes.push_back(
          fmt::format("repeated-cv: {} times {} folds, each tested at the epoch that is best on {} of its "
                      "training graphs.",
                      data.folds.size(), data.num_folds(),
                      fmt::format("{} %", format_number(100 * plan.run.validation))));
      break;
  }
  notes.push_back(
      fmt::format("last: mean over the last ten epochs; train: accuracy of the last training pass."));
  if (plan.run.protocol == Protocol::gin_cv) {
    std::string best;
    for (const std::string& readout : plan.run.readouts) {
      const std::vector<double> values = column(tested(trials, readout, metric), "diagnostic_best_" + metric);
      if (!values.empty())
        best += fmt::format("{}{} {}", best.empty() ? "" : ", ", readout, mean_text(values, metric, 3));
    }
    notes.push_back("Diagnosis only: each fold at its own best epoch (max-of-folds) would read " + best +
                    "; that is higher still and comparable with nothing.");
  }
  return notes;
}

}  // namespace tarn
