#include "tarn/experiments/trial_runner.hpp"

#include "tarn/core/parallel.hpp"
#include "tarn/experiments/interruption.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace tarn {

namespace {

std::vector<Value> axes_of(const std::vector<PlannedTrial>& plan) {
  std::vector<Value> axes;
  for (const PlannedTrial& trial : plan) axes.push_back(trial.axes);
  return axes;
}

double cost(const PlannedTrial& trial) {
  return static_cast<double>(trial.epochs) * trial.epoch_cost;
}

class TrialRunner {
 public:
  TrialRunner(ExperimentContext& context, const std::vector<PlannedTrial>& plan, const RunTrial& run_trial)
      : context_(context), plan_(plan), run_trial_(run_trial) {}

  std::vector<std::string> run(const std::vector<std::size_t>& pending) {
    start_progress();
    const auto count = static_cast<Size>(pending.size());
    if (count >= Threads::available()) {
      std::atomic<std::size_t> next = 0;
      for_jobs(count, [&](Size) { run_one(pending[next++]); });
    } else {
      for (const std::size_t trial : pending) run_one(trial);
    }
    context_.console.progress().finish();
    return diverged_;
  }

 private:
  void start_progress() {
    double total = 0, done = 0;
    for (const PlannedTrial& trial : plan_) {
      total += cost(trial);
      done += context_.run.finished(trial.axes) != nullptr
                  ? cost(trial)
                  : static_cast<double>(context_.run.epochs(trial.axes).size()) * trial.epoch_cost;
    }
    percent_ = 100 / std::max(total, 1e-9);
    context_.console.progress().start("training", "%", 100, done * percent_);
  }

  void run_one(std::size_t index) {
    const Value& axes = plan_[index].axes;
    if (interruption_requested())
      throw Interrupted("interrupted; the same command goes on where this run stopped");
    const TrainingHooks hooks{.checkpoints = context_.run.checkpoints(axes),
                              .epoch_done =
                                  [&](const EpochRecord& record) {
                                    context_.run.add_epoch(axes, record.value());
                                    context_.console.progress().advance(plan_[index].epoch_cost * percent_);
                                  },
                              .interrupted = interruption_requested};
    try {
      context_.run.finish_trial(axes, run_trial_(index, hooks));
    } catch (const DivergedError& error) {
      const std::scoped_lock lock(mutex_);
      diverged_.push_back(fmt::format("{}: {}", RunDirectory::trial_name(axes), error.what()));
      context_.console.warning(diverged_.back());
    }
  }

  ExperimentContext& context_;
  const std::vector<PlannedTrial>& plan_;
  const RunTrial& run_trial_;
  double percent_ = 0;  // of one unit of cost
  std::mutex mutex_;
  std::vector<std::string> diverged_;
};

}  // namespace

std::vector<std::size_t> restore_trials(ExperimentContext& context, const std::vector<PlannedTrial>& plan) {
  context.run.restore(axes_of(plan),
                      [&](const Value& axes) { return checkpointed_epochs(context.run.checkpoints(axes)); });
  std::vector<std::size_t> pending;
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (context.run.finished(plan[i].axes) == nullptr) pending.push_back(i);
  }
  std::stable_sort(pending.begin(), pending.end(), [&](std::size_t a, std::size_t b) {
    if (plan[a].group != plan[b].group) return plan[a].group < plan[b].group;
    return cost(plan[a]) > cost(plan[b]);
  });
  return pending;
}

void warn_of_emulated_products(ProductPrecision products, Console& console) {
  if (products == ProductPrecision::full || has_bf16_products()) return;
  console.warning(
      "products = \"bf16\": this processor, or this build, has no such products; they are emulated and "
      "slower");
}

std::vector<std::string> run_trials(ExperimentContext& context, const std::vector<PlannedTrial>& plan,
                                    const std::vector<std::size_t>& pending, const RunTrial& run_trial) {
  return TrialRunner(context, plan, run_trial).run(pending);
}

TrialSet finished_trials(const RunDirectory& run, const std::vector<PlannedTrial>& plan,
                         std::span<const std::string> axes) {
  Value::List trials;
  for (const PlannedTrial& trial : plan) {
    if (const Value* line = run.finished(trial.axes)) trials.push_back(*line);
  }
  return read_trials(trials, "trials", axes);
}

void finish_run(ExperimentContext& context, const std::vector<PlannedTrial>& plan, const RunSummary& summary,
                const std::vector<std::string>& diverged) {
  context.run.finish(axes_of(plan), summary);
  if (diverged.empty()) return;
  throw DivergedError(fmt::format("{} of {} trials left the finite numbers; the first: {}", diverged.size(),
                                  plan.size(), diverged.front()));
}

}  // namespace tarn
