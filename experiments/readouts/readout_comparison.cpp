#include "tarn/experiments/readouts/readout_comparison.hpp"

#include "tarn/core/files.hpp"
#include "tarn/experiments/graphs/graph_trials.hpp"
#include "tarn/experiments/readouts/readout_comparison_tables.hpp"
#include "tarn/experiments/readouts/step_memory.hpp"
#include "tarn/experiments/stress_trials.hpp"

#include <fmt/format.h>

#include <chrono>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

/// About how long an epoch on the embedded graphs takes, against those of the stress test.
constexpr double graph_epoch_cost = 0.1;

/// The trials of all tasks as one plan: those on texts, then those on graphs.
class ReadoutTrials {
 public:
  ReadoutTrials(ReadoutComparisonPlan& plan, const GraphRunData* graphs) : plan_(plan), graphs_(graphs) {
    if (plan.stress) plan_stress();
    if (plan.graphs) plan_graphs();
  }

  [[nodiscard]] const std::vector<PlannedTrial>& planned() const { return planned_; }

  std::vector<std::string> run(ExperimentContext& context, const std::vector<std::size_t>& pending) {
    std::vector<std::size_t> texts;
    for (const std::size_t trial : pending) {
      if (trial < num_texts_) texts.push_back(trial);
    }
    std::optional<StressDataPool> pool;
    if (plan_.stress) {
      share_graph_cache(plan_.stress->trials, pending.size());
      pool.emplace(*plan_.stress, texts);
    }
    return run_trials(context, planned_, pending, [&](std::size_t index, const TrainingHooks& hooks) {
      return index < num_texts_ ? run_text(index, *pool, hooks) : run_graph(index - num_texts_, hooks);
    });
  }

 private:
  void plan_stress() {
    planned_ = planned_stress_trials(*plan_.stress);
    num_texts_ = planned_.size();
    for (std::size_t i = 0; i < num_texts_; ++i) {
      const StressTrial& trial = plan_.stress->trials[i];
      planned_[i].axes = axes_of(trial.plan.readout, fmt::format("{}-{}", stress_task, trial.setting.ratio),
                                 trial.setting.seed);
    }
  }

  void plan_graphs() {
    const Size group = planned_.empty() ? 0 : planned_.back().group + 1;
    graph_trials_ = graph_trials(*plan_.graphs, *graphs_);
    for (const GraphTrial& trial : graph_trials_) {
      Value axes = axes_of(trial.readout, graphs_task, trial.seed);
      axes.set("repeat", trial.repeat);
      axes.set("fold", trial.fold);
      planned_.push_back({.axes = std::move(axes),
                          .epochs = *plan_.graphs->run.epochs,
                          .epoch_cost = graph_epoch_cost,
                          .group = group});
    }
  }

  static Value axes_of(const std::string& readout, const std::string& task, Size seed) {
    Value axes;
    axes.set("readout", readout);
    axes.set("task", task);
    axes.set("seed", seed);
    return axes;
  }

  Value run_text(std::size_t index, StressDataPool& pool, const TrainingHooks& hooks) const {
    const StressTrial& trial = plan_.stress->trials[index];
    const std::shared_ptr<const StressData> data = pool.get(trial.setting);
    Value metrics = run_stress_trial(*plan_.stress, trial, *data, hooks);
    metrics.set("step_bytes", step_bytes(trial.plan, data->trial_data()));
    return metrics;
  }

  Value run_graph(std::size_t index, const TrainingHooks& hooks) const {
    const auto start = Clock::now();
    const GraphTrial& trial = graph_trials_[index];
    Value metrics = run_graph_trial(*plan_.graphs, *graphs_, trial, hooks);
    metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
    metrics.set("step_bytes", step_bytes(*plan_.graphs, *graphs_, trial));
    return metrics;
  }

  ReadoutComparisonPlan& plan_;
  const GraphRunData* graphs_;
  std::vector<PlannedTrial> planned_;
  std::size_t num_texts_ = 0;
  std::vector<GraphTrial> graph_trials_;
};

}  // namespace

std::string ReadoutComparison::help() const {
  return "Trains every set readout that needs nothing but the rows of a set on the texts of the stress test "
         "(see tarn describe stress), at several ratios of noise and over seeds, and behind a GIN on the "
         "embedded graphs (tarn describe graphs-demo), over folds: the same data, start and order for all.\n"
         "Tests are of all pairs, paired by seed or fold and corrected by Holm for all of them together; "
         "pairs.csv holds each one. Many pairs and few repeats leave small differences open: seeds=[0,1,...] "
         "and graphs.repeats=3 add repeats, readouts=[\"a\",\"b\"] leaves fewer pairs to correct for.\n"
         "All readouts in all tasks take about 40 minutes of one core, 20 on two; a run that is stopped goes "
         "on.\n"
         "The sources of the readouts: tarn describe NAME. Tests: Demsar 2006, Journal of Machine Learning "
         "Research 7.";
}

void ReadoutComparison::run(ExperimentContext& context) const {
  ReadoutComparisonPlan plan = ReadoutComparisonPlan::read(context.config);
  std::optional<GraphRunData> graphs;
  if (plan.graphs) {
    graphs = load_graph_run(*plan.graphs, embedded_graphs());
    keep_folds(context.run, *graphs);
    for (const std::string& warning : graphs->warnings) context.console.warning(warning);
  }
  ReadoutTrials trials(plan, graphs ? &*graphs : nullptr);
  const std::vector<std::size_t> pending = restore_trials(context, trials.planned());
  const std::vector<std::string> diverged = trials.run(context, pending);

  const std::vector<std::string> axes{"seed", "fold", "repeat"};
  const TrialSet finished = finished_trials(context.run, trials.planned(), axes);
  RunSummary summary{.experiment = name(),
                     .metric = "accuracy",
                     .axes = axes,
                     .notes = {},
                     .warnings = graphs ? graphs->warnings : std::vector<std::string>{}};
  if (!finished.trials.empty()) {
    const ReadoutFindings findings = find_differences(finished);
    summary.notes = readout_notes(findings, plan);
    summary.tables.push_back(readout_table(findings, readouts_left_out()));
    write_file_atomically(context.run.path() / "pairs.csv",
                          significance_table(findings.comparison, findings.tests).csv());
    context.console.result(summary.tables.front().text());
    for (const std::string& note : summary.notes) context.console.result(note);
  }
  finish_run(context, trials.planned(), summary, diverged);
}

}  // namespace tarn
