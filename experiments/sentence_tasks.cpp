#include "tarn/experiments/sentence_tasks.hpp"

#include "tarn/core/files.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/sample_picture.hpp"
#include "tarn/experiments/text_notes.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

/// Of the published protocol: larger training sets of these tasks are cut.
constexpr std::array<std::string_view, 3> cut_tasks = {"qqp", "qnli", "mnli"};
constexpr Size cut_rows = 20000;
constexpr Size selection_share = 10;  // one row in ten is held out to choose the epoch

/// Texts whose labels are factor * label + shift; states as they are.
class RescaledTexts final : public Texts {
 public:
  RescaledTexts(std::unique_ptr<Texts> texts, double factor, double shift)
      : texts_(std::move(texts)), factor_(factor), shift_(shift) {}

  Size rows() const override { return texts_->rows(); }
  Size dim() const override { return texts_->dim(); }
  Size num_texts() const override { return texts_->num_texts(); }
  double label(Size row) const override { return factor_ * texts_->label(row) + shift_; }
  void for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const override {
    texts_->for_batches(plan, f);
  }

 private:
  std::unique_ptr<Texts> texts_;
  double factor_, shift_;
};

std::unique_ptr<Texts> open_texts(const SentencePlan& plan, const TokenStore& store,
                                  const std::string& split) {
  auto texts = std::make_unique<StoreTexts>(store.split(split), LayerSelection::parse(plan.data.layers));
  if (plan.options.task == SentenceTask::tokens) return texts;
  switch (plan.options.label_scale) {
    case LabelScale::unit:
      return std::make_unique<RescaledTexts>(std::move(texts), 1 / 5.0, 0);
    case LabelScale::symmetric:
      return std::make_unique<RescaledTexts>(std::move(texts), 1 / 2.5, -1);
    default:
      return texts;
  }
}

/// The first `count` rows with a label, all if not given.
std::vector<Size> labelled_rows(const Texts& texts, std::optional<Size> count, const std::string& where) {
  std::vector<Size> rows;
  for (Size row = 0; row < texts.rows() && static_cast<Size>(rows.size()) < count.value_or(texts.rows());
       ++row) {
    const double label = texts.label(row);
    if (!std::isnan(label) && label != -1) rows.push_back(row);
  }
  if (rows.empty() || static_cast<Size>(rows.size()) < count.value_or(0)) {
    throw DataError(
        fmt::format("{}: has {} labelled rows; expected {} or more", where, rows.size(), count.value_or(1)));
  }
  return rows;
}

/// Splits and rows of a store that fits the task.
class SentenceData {
 public:
  SentenceData(const SentencePlan& plan, const TokenStore& store)
      : info_(store.info()),
        train_(open_texts(plan, store, plan.data.train_split)),
        evaluation_(open_texts(plan, store, plan.data.evaluation_split)),
        layers_(plan.data.layers) {
    const std::string file = plan.data.store;
    train_rows_ = labelled_rows(*train_, train_count(plan), file + "/" + plan.data.train_split);
    evaluation_rows_ =
        labelled_rows(*evaluation_, plan.data.evaluation, file + "/" + plan.data.evaluation_split);
    if (plan.options.task == SentenceTask::sts) return;
    for (const auto& [texts, rows] :
         {std::pair(train_.get(), &train_rows_), {evaluation_.get(), &evaluation_rows_}})
      static_cast<void>(class_labels(*texts, *rows, info_.num_classes, file));
  }

  /// Rows of a trial: with selection, a tenth of the training rows by seed are held out.
  [[nodiscard]] TextRows rows(EpochSelection select, Size seed) const {
    TextRows rows{train_rows_, evaluation_rows_, {}};
    if (select == EpochSelection::last) return rows;
    const std::vector<Size> order =
        epoch_order(train_rows_, Shuffle::full, static_cast<std::uint64_t>(seed), selection_share);
    const auto held_out = static_cast<std::ptrdiff_t>((order.size() + selection_share - 1) / selection_share);
    rows.selection.assign(order.begin(), order.begin() + held_out);
    rows.train.assign(order.begin() + held_out, order.end());
    std::sort(rows.selection.begin(), rows.selection.end());
    std::sort(rows.train.begin(), rows.train.end());
    return rows;
  }

  [[nodiscard]] TextTrialData trial_data(const TextRows& rows, SentenceTask task) const {
    const TextModelShape shape{.dim = train_->dim(),
                               .num_texts = train_->num_texts(),
                               .task = task == SentenceTask::sts ? TextTask::similarity : TextTask::classes,
                               .num_classes = info_.num_classes};
    return {*train_, *evaluation_, rows, shape, layers_};
  }

  [[nodiscard]] Size num_evaluated() const { return static_cast<Size>(evaluation_rows_.size()); }
  [[nodiscard]] Size first_evaluated() const { return evaluation_rows_.front(); }

 private:
  [[nodiscard]] std::optional<Size> train_count(const SentencePlan& plan) const {
    const bool cut = std::find(cut_tasks.begin(), cut_tasks.end(), info_.task) != cut_tasks.end();
    if (plan.data.train || plan.options.protocol != TextProtocol::official || !cut) return plan.data.train;
    return std::min(cut_rows, train_->rows());
  }

  StoreInfo info_;
  std::unique_ptr<Texts> train_, evaluation_;
  std::vector<Size> train_rows_, evaluation_rows_;
  std::string layers_;
};

/// Throws DataError for a store that holds something else than the task wants.
void require_fitting_store(SentenceTask task, const TokenStore& store) {
  const StoreInfo& info = store.info();
  const bool fits = task == SentenceTask::tokens
                        ? info.label_type == LabelType::classes && info.num_texts <= 2
                        : info.label_type == LabelType::real && info.num_texts == 2;
  if (fits) return;
  throw DataError(
      fmt::format("{}: holds {} {} a row with labels of type {}; expected {}", store.path().string(),
                  info.num_texts, info.num_texts == 1 ? "text" : "texts", label_type_name(info.label_type),
                  task == SentenceTask::tokens ? "one or two with class labels" : "two with real labels"));
}

/// The metric of a task as the GLUE benchmark counts it.
std::string main_metric(const SentenceOptions& o, const StoreInfo& info) {
  if (o.task == SentenceTask::sts) return "spearman";
  if (o.metric != SentenceMetric::automatic) {
    return std::string(enum_names(o.metric)[static_cast<std::size_t>(o.metric)]);
  }
  if (info.num_classes == 2 && info.task == "cola") return "mcc";
  if (info.num_classes == 2 && (info.task == "mrpc" || info.task == "qqp")) return "f1";
  return "accuracy";
}

std::string task_name(const StoreInfo& info, SentenceTask task) {
  return info.task.empty() ? std::string(enum_names(task)[static_cast<std::size_t>(task)]) : info.task;
}

std::vector<PlannedTrial> planned_trials(const SentencePlan& plan, const std::string& task) {
  std::vector<PlannedTrial> planned;
  for (const SentenceTrial& trial : plan.trials) {
    const bool learned = learns(trial.plan, 8);
    const bool untrained = plan.options.task == SentenceTask::sts || plan.options.head == FixedHead::logistic;
    planned.push_back({.axes = trial.axes(task),
                       .epochs = learned     ? trial.plan.training.epochs
                                 : untrained ? 0
                                             : trial.plan.head_epochs,
                       .epoch_cost = trial.graph != "none" ? 1
                                     : learned             ? 0.2
                                                           : 0.01,
                       .group = 0});
  }
  return planned;
}

Value run_trial(const SentencePlan& plan, const SentenceTrial& trial, const SentenceData& data,
                const std::string& metric, TrainingHooks hooks) {
  const auto start = Clock::now();
  hooks.metric = metric;
  const SentenceOptions& o = plan.options;
  const Ceiling ceiling = o.task == SentenceTask::sts     ? Ceiling::none
                          : o.head == FixedHead::logistic ? Ceiling::alone
                                                          : Ceiling::beside;
  const TextRows rows = data.rows(o.select, trial.seed);
  Value metrics =
      trial_metrics(run_text_trial(trial.plan, data.trial_data(rows, o.task), ceiling, hooks), metric);
  metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
  return metrics;
}

std::vector<std::string> notes_of(const SentencePlan& plan, const TokenStore& store, Size num_evaluated) {
  const SentenceOptions& o = plan.options;
  std::vector<std::string> notes;
  const std::string counted = o.select == EpochSelection::last
                                  ? "after the last epoch"
                                  : "after the epoch that is best on a tenth of the training texts, held out";
  notes.push_back(
      fmt::format("States of {}, layers {}. {} evaluation texts ({}); learned readouts are measured {}. The "
                  "best epoch on the "
                  "evaluation texts (best_ metrics) is chosen on what it is measured on.",
                  store.info().model.empty() ? "an unnamed model" : store.info().model, plan.data.layers,
                  num_evaluated, plan.data.evaluation_split, counted));
  if (o.task == SentenceTask::sts) {
    notes.emplace_back(
        "Readouts without parameters are not trained: no seed enters their cosine. Learned ones are trained "
        "on the "
        "training pairs first, together with a square linear layer.");
  } else {
    const auto error = [&](double p) {
      return 100 * std::sqrt(p * (1 - p) / static_cast<double>(num_evaluated));
    };
    notes.push_back(fmt::format("One standard error of an accuracy is {:.1f} points at 50 %, {:.1f} at 90 %.",
                                error(0.5), error(0.9)));
  }
  return notes;
}

Value sample_of(const SentencePlan& plan, const TokenStore& store, const SentenceData& data,
                const RunDirectory& run, const std::string& task) {
  std::vector<SampleReadout> readouts;
  for (const SentenceTrial& trial : plan.trials) {
    if (trial.seed != plan.options.seeds.front() || !learns(trial.plan, 8)) continue;
    readouts.push_back({trial.plan.readout, run.checkpoints(trial.axes(task)) / "last.h5"});
  }
  const Size row = data.first_evaluated();
  const SampleText text =
      read_sample(store.split(plan.data.evaluation_split), row, LayerSelection::parse(plan.data.layers));
  return sample_picture(text, readouts,
                        fmt::format("{}, row {}, label {}", plan.data.evaluation_split, row, text.label));
}

}  // namespace

std::string SentenceExperiment::name() const {
  return std::string(enum_names(task_)[static_cast<std::size_t>(task_)]);
}

std::string SentenceExperiment::summary() const {
  return task_ == SentenceTask::tokens ? "readouts on classes of texts or pairs of a token store"
                                       : "readouts on the similarity of pairs of a token store";
}

std::string SentenceExperiment::help() const {
  const std::string source =
      "Mantri et al. 2026, Towards Improved Sentence Representations using Token Graphs, arXiv 2603.03389.";
  if (task_ == SentenceTask::sts) {
    return "Cosine of the pooled vectors of a pair against its score: Spearman, Pearson and their mean. "
           "Readouts "
           "without parameters are not trained; learned ones are trained on the training pairs first by the "
           "squared "
           "error of the cosine, behind a square linear layer. data.store = \"stsb.h5\" names a store with "
           "two texts a "
           "row and real labels.\n" +
           source;
  }
  return "Texts, or pairs of texts, classified by a linear head on the pooled vectors. Learned readouts "
         "train with "
         "their head at equal budgets; readouts without parameters are pooled once and train the head alone, "
         "beside "
         "the best linear head (logistic regression). The metric follows the store's task: mcc for cola, f1 "
         "for mrpc "
         "and qqp, else accuracy. protocol = \"official\" takes the published budget and the first 20,000 "
         "training "
         "rows of qqp, qnli and mnli. select = \"train-split\" chooses the epoch without looking at the "
         "evaluation "
         "texts.\n" +
         source;
}

void SentenceExperiment::run(ExperimentContext& context) const {
  SentencePlan plan = SentencePlan::read(task_, context.config);
  const TokenStore store = TokenStore::open(
      plan.data.store,
      {.cache_mb = plan.data.cache_mb, .warn = [&](const auto& line) { context.console.warning(line); }});
  require_fitting_store(task_, store);
  const SentenceData data(plan, store);
  const std::string metric = main_metric(plan.options, store.info());
  const std::string task = task_name(store.info(), task_);
  const std::vector<PlannedTrial> planned = planned_trials(plan, task);
  const std::vector<std::size_t> pending = restore_trials(context, planned);
  warn_of_emulated_products(plan.options.products, context.console);
  share_graph_cache(plan.trials, pending.size());
  const std::vector<std::string> diverged =
      run_trials(context, planned, pending, [&](std::size_t index, const TrainingHooks& hooks) {
        return run_trial(plan, plan.trials[index], data, metric, hooks);
      });

  const TrialSet trials = finished_trials(context.run, planned);
  const RunSummary summary{.experiment = name(),
                           .metric = metric,
                           .axes = {"seed"},
                           .notes = notes_of(plan, store, data.num_evaluated()),
                           .warnings = {}};
  context.console.result(result_tables_text(trials, metric) + ceiling_table(trials));
  for (const std::string& note : summary.notes) context.console.result(note);
  write_file_atomically(context.run.path() / "sample.json",
                        to_json(sample_of(plan, store, data, context.run, task)) + "\n");
  finish_run(context, planned, summary, diverged);
}

}  // namespace tarn
