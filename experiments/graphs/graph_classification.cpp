#include "tarn/experiments/graphs/graph_classification.hpp"

#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/graphs/graph_tables.hpp"
#include "tarn/experiments/graphs/graph_trials.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

/// Readouts over the history learn slowly and wildly at the rate that suits the backbone.
Value small_histograph_rate() {
  Value defaults{Value::Table{}};
  defaults.set_path("lr_of.histograph", 0.001);
  return defaults;
}

GraphPreset demo() {
  GraphPreset preset{.name = "graphs-demo", .set = "", .embedded = true, .defaults = small_histograph_rate()};
  preset.defaults.set("protocol", "repeated-cv");
  preset.defaults.set("repeats", Size{1});
  preset.defaults.set("folds", Size{5});
  preset.defaults.set("epochs", Size{30});
  preset.defaults.set_path("model.widths", Value::List{Size{32}, Size{32}, Size{32}});
  preset.defaults.set_path("model.head_hidden", Size{32});
  return preset;
}

/// What the models themselves want to be said, each once.
std::vector<std::string> model_warnings(const GraphPlan& plan, const GraphRunData& data) {
  std::vector<std::string> warnings;
  for (const std::string& readout : plan.run.readouts) {
    const auto model = make_graph_model(plan.model, readout, *plan.readouts.find(readout),
                                        {.feature_dim = data.set.feature_dim(),
                                         .edge_dim = data.set.edge_dim(),
                                         .outputs = data.task.outputs});
    for (const std::string& text : model->warnings()) {
      if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) warnings.push_back(text);
    }
  }
  return warnings;
}

}  // namespace

std::vector<GraphPreset> graph_presets() {
  const Value defaults = small_histograph_rate();
  return {{"mutag", "MUTAG", false, defaults},
          {"proteins", "PROTEINS", false, defaults},
          {"ptc", "PTC_MR", false, defaults},
          {"imdb-b", "IMDB-BINARY", false, defaults},
          demo(),
          {"graphs", "", false, defaults}};
}

std::string GraphClassification::summary() const {
  if (preset_.embedded) return "readouts on generated graphs whose class lies in their structure alone";
  if (preset_.set.empty()) return "readouts on a set of graphs of your own, data.path=FILE";
  return fmt::format("readouts on the graphs of {}", preset_.set);
}

std::string GraphClassification::help() const {
  std::string text =
      "A backbone (GIN: five layers of 64 with batch norm) and a head, with a readout between them: set "
      "readouts on "
      "the last layer, layer pools on the history of all layers, and edge-free, the model that looks at no "
      "edge, which "
      "belongs in every comparison.\n"
      "Protocols: gin-cv (Xu et al. 2019, arXiv 1810.00826; chooses the epoch by the tests and overstates), "
      "fair (Errica "
      "et al. 2020, arXiv 1912.09893), holdout (Hu et al. 2020, arXiv 2005.00687), repeated-cv.\n";
  if (preset_.embedded) {
    return text +
           "The graphs are rings with chords that join equal labels in one class and different ones in the "
           "other; "
           "degrees and labels are the same in both, so that edge-free guesses.";
  }
  if (preset_.set.empty()) return text + "The set is a TU folder or zip, an OGB folder or a graph store.";
  return text + fmt::format(
                    "The set {} is looked for in data.root, else in the folder that TARN_DATA names, else in "
                    "../shared/data/tu; data.path names it directly.",
                    preset_.set);
}

void GraphClassification::run(ExperimentContext& context) const {
  const GraphPlan plan = GraphPlan::read(context.config);
  const GraphRunData data = load_graph_run(plan, preset_);
  keep_folds(context.run, data);
  std::vector<std::string> warnings = data.warnings;
  for (std::string& text : model_warnings(plan, data)) warnings.push_back(std::move(text));
  for (const std::string& text : warnings) context.console.warning(text);

  GraphProtocolRun run(context, plan, data);
  const std::vector<std::string> diverged = run.run();

  const std::vector<std::string> axes = {"point", "seed", "fold", "repeat"};
  const TrialSet trials = finished_trials(context.run, run.planned(), axes);
  RunSummary summary{.experiment = name(),
                     .metric = data.task.metric,
                     .axes = axes,
                     .notes = protocol_notes(trials, plan, data),
                     .warnings = warnings,
                     .tables = {}};
  if (plan.grid.size() > 1) {
    for (std::size_t point = 0; point < plan.grid.size(); ++point) {
      summary.notes.push_back(fmt::format("Point {} of the grid: {}.", point, point_text(plan.grid[point])));
    }
  }
  const Table table = protocol_table(trials, plan, data, (context.run.path() / "results.json").string());
  summary.tables.push_back(table);
  context.console.result(table.text() + "\n" + result_tables_text(trials, summary.metric));
  if (diverged.empty()) {
    const std::vector<Comparison> comparisons = compare(trials, summary.metric);
    std::for_each(comparisons.begin(), comparisons.end(), require_same_folds);
  }
  finish_run(context, run.planned(), summary, diverged);
}

}  // namespace tarn
