#include "tarn/experiments/stress.hpp"

#include "tarn/core/files.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/stress_data.hpp"
#include "tarn/experiments/stress_report.hpp"
#include "tarn/experiments/stress_trials.hpp"
#include "tarn/experiments/text_notes.hpp"

namespace tarn {

std::string Stress::help() const {
  return "A text hides a short clause among random words; its marker (indeed, never, ...) is the label. "
         "Readouts turn "
         "the token states into one vector, a linear head reads it. Modes: matched (both labels have the "
         "same lengths), "
         "relational (two clauses: which one is negated), official (the published generator, whose label can "
         "be read off "
         "the length). protocol = \"official\" trains 3 epochs at 1e-4 as published, too few for any readout "
         "to "
         "converge. The default run ends with a structure test: relational texts whose states know word and "
         "position "
         "only.\n"
         "The embedded encoder is synthetic: the head that carries a negation to its noun is put in by hand, "
         "the task is "
         "easy for any readout that can look at single tokens, and accuracy on it says nothing about "
         "language. "
         "data.store takes the states of a real model.\n"
         "Mantri et al. 2026, Towards Improved Sentence Representations using Token Graphs, arXiv "
         "2603.03389.";
}

std::vector<FieldDescription> Stress::options() const {
  return describe_stress_options();
}

Value Stress::resolve(const Value& given) const {
  return resolve_stress(given);
}

void Stress::run(ExperimentContext& context) const {
  StressPlan plan = StressPlan::read(context.config);
  const std::vector<PlannedTrial> planned = planned_stress_trials(plan);
  const std::vector<std::size_t> pending = restore_trials(context, planned);
  if (const std::string check = stress_self_check(plan); !check.empty()) context.console.result(check);

  warn_of_emulated_products(plan.options.products, context.console);
  share_graph_cache(plan.trials, pending.size());
  StressDataPool pool(plan, pending);
  const std::vector<std::string> diverged =
      run_trials(context, planned, pending, [&](std::size_t index, const TrainingHooks& hooks) {
        const StressTrial& trial = plan.trials[index];
        const std::shared_ptr<const StressData> data = pool.get(trial.setting);
        return run_stress_trial(plan, trial, *data, hooks);
      });

  const TrialSet trials = finished_trials(context.run, planned);
  const RunSummary summary{.experiment = name(),
                           .metric = "accuracy",
                           .axes = {"ratio", "seed"},
                           .notes = stress_notes(plan, trials),
                           .warnings = stress_warnings(plan, trials)};
  for (const std::string& warning : summary.warnings) context.console.warning(warning);
  context.console.result(result_tables_text(trials, summary.metric) + ceiling_table(trials));
  for (const std::string& note : summary.notes) context.console.result(note);
  write_file_atomically(context.run.path() / "sample.json", to_json(stress_sample(plan, context.run)) + "\n");
  finish_run(context, planned, summary, diverged);
}

}  // namespace tarn
