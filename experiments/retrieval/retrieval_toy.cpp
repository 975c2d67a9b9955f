#include "tarn/experiments/retrieval/retrieval_toy.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/comparison.hpp"
#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/experiments/trial_runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

namespace tarn {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* owner = "retrieval-toy";
constexpr const char* metric = "recall_1";
constexpr double query_cost = 4;  // of an epoch with a vector per query, against one without

bool is_conditioned(const std::string& readout) {
  return query_readouts().find(readout) != nullptr;
}

/// Set readouts that fit and query-conditioned ones.
std::vector<ReadoutEntry> entries() {
  std::vector<ReadoutEntry> all = set_readout_entries();
  for (ReadoutEntry& entry : query_readout_entries()) all.push_back(std::move(entry));
  return all;
}

template <class T>
void require_some(const char* option, const std::vector<T>& list) {
  if (list.empty()) throw ConfigError(fmt::format("{}.{}: got []; expected at least one", owner, option));
}

RetrievalToyData read_data(const Value& given) {
  const Value* data = given.find("data");
  return data == nullptr ? RetrievalToyData{} : read_options<RetrievalToyData>(*data, "retrieval-toy.data");
}

struct ToyTrial {
  std::string readout;
  Size seed = 0;

  [[nodiscard]] Value axes() const {
    Value axes;
    axes.set("readout", readout);
    axes.set("seed", seed);
    return axes;
  }
};

/// What both kinds of readouts came to, and what it shows.
std::vector<std::string> notes_of(const TrialSet& trials, const RetrievalToyData& data) {
  std::vector<std::string> notes;
  notes.push_back(fmt::format(
      "{} evaluation sets, a query each: guessing finds {} %. One standard error at 50 % is {} points. Sets, "
      "rows and queries are synthetic: figures say nothing about texts or videos.",
      data.evaluation, format_fixed(100.0 / static_cast<double>(data.evaluation), 1),
      format_fixed(50 / std::sqrt(static_cast<double>(data.evaluation)), 1)));
  std::vector<double> once, each;
  for (const Trial& trial : trials.trials) {
    const auto value = trial.metric(metric);
    if (value) (is_conditioned(axis_text(trial.axis("readout"))) ? each : once).push_back(*value);
  }
  if (!once.empty() && !each.empty()) {
    notes.push_back(fmt::format(
        "Means over all trials: readouts that pool for every query find {} %, those that pool once {} %; the "
        "table tests single readouts. A vector per query and set costs as many poolings as there are "
        "queries.",
        format_fixed(100 * mean(each), 1), format_fixed(100 * mean(once), 1)));
  }
  return notes;
}

}  // namespace

void RetrievalToyOptions::fields(Fields& f) {
  f("readouts", readouts, "set readouts and query-conditioned ones, or \"all\"");
  f("seeds", seeds, at_least(0), "of sets, parameters and order; one trial each");
  f("epochs", epochs, at_least(1), "passes over the training sets");
  f("batch", batch, at_least(2), "sets per step; the others are what a query must not find");
  f("lr", lr, above(0), "learning rate of Adam");
  f("temperature", temperature, above(0), "divides the cosines in the loss");
}

void RetrievalToyData::fields(Fields& f) {
  f("train", train, at_least(2), "training sets");
  f("evaluation", evaluation, at_least(2), "evaluation sets, never seen in training");
  RetrievalSetOptions::fields(f);
}

std::string RetrievalToy::help() const {
  return "Every set has 4 to 8 rows, each with a topic of its own under a style that says nothing; a query "
         "tells of one row of its set in another style. Rows and queries pass one linear map, a readout "
         "pools the rows, and the cosine of query and vector scores the set; training picks the right set of "
         "a batch. Query-conditioned readouts (x-pool, query-softmax, query-topk) pool anew for every query. "
         "Measured: the share of queries whose set comes first (recall_1), among 5 and 10, and ranks.\n"
         "After Gorti et al. 2022, X-Pool: Cross-Modal Language-Video Attention for Text-Video Retrieval, "
         "arXiv 2203.15086, on synthetic queries.";
}

std::vector<FieldDescription> RetrievalToy::options() const {
  std::vector<FieldDescription> result = describe_options<RetrievalToyOptions>();
  std::vector<FieldDescription> data = describe_options<RetrievalToyData>();
  std::erase_if(data, [](const FieldDescription& field) { return field.name == "seed"; });
  describe_table(result, "data", data);
  return result;
}

Value RetrievalToy::resolve(const Value& given) const {
  const std::vector<ReadoutEntry> known = entries();
  const auto options = read_options<RetrievalToyOptions>(own_options(given, known), owner);
  const RetrievalToyData data = read_data(given);
  require_some("readouts", options.readouts);
  require_some("seeds", options.seeds);
  if (const Value* seed = given.find_path("data.seed")) {
    throw ConfigError(fmt::format("{}data.seed: is a trial's own; expected seeds=[...]",
                                  seed->where().empty() ? "" : seed->where() + ": "));
  }
  static_cast<void>(generate_retrieval_sets(data, 1, "train"));
  Value resolved = write_options(options);
  const Value all = write_options(data);
  Value table{Value::Table{}};
  for (const auto& [key, value] : *all.table()) {
    if (key != "seed") table.set(key, value);
  }
  resolved.set("data", table);
  const Value tables = resolve_readouts(
      given, options.readouts, [](const std::string&) { return Value(Value::Table{}); }, known);
  for (const auto& [name, readout] : *tables.table()) {
    static_cast<void>(RetrievalModel(name, readout, data.width));
    resolved.set(name, readout);
  }
  return resolved;
}

void RetrievalToy::run(ExperimentContext& context) const {
  const auto options = read_options<RetrievalToyOptions>(own_options(context.config, entries()), owner);
  const RetrievalToyData data = read_data(context.config);
  std::vector<ToyTrial> trials;
  std::vector<PlannedTrial> planned;
  for (const Size seed : options.seeds) {
    for (const std::string& readout : options.readouts) {
      trials.push_back({readout, seed});
      planned.push_back({.axes = trials.back().axes(),
                         .epochs = options.epochs,
                         .epoch_cost = is_conditioned(readout) ? query_cost : 1,
                         .group = 0});
    }
  }
  const std::vector<std::size_t> pending = restore_trials(context, planned);
  const std::vector<std::string> diverged =
      run_trials(context, planned, pending, [&](std::size_t index, const TrainingHooks& hooks) {
        const auto start = Clock::now();
        const ToyTrial& trial = trials[index];
        RetrievalSetOptions sets = data;
        sets.seed = trial.seed;
        const RetrievalSets train = generate_retrieval_sets(sets, data.train, "train");
        const RetrievalSets evaluation = generate_retrieval_sets(sets, data.evaluation, "evaluation");
        RetrievalModel model(trial.readout, *context.config.find(trial.readout), data.width);
        const TrainingHistory history = train_retrieval(model, train, evaluation,
                                                        {.epochs = options.epochs,
                                                         .batch = options.batch,
                                                         .lr = options.lr,
                                                         .temperature = options.temperature,
                                                         .seed = static_cast<std::uint64_t>(trial.seed)},
                                                        hooks);
        Value metrics;
        for (const auto& [name, value] : history.last().metrics.values()) metrics.set(name, value);
        metrics.set("steps", history.last().steps);
        metrics.set("loss", history.last().loss);
        metrics.set("seconds_per_epoch", history.seconds_per_epoch());
        metrics.set("parameters", model.num_parameters());
        metrics.set("seconds", std::chrono::duration<double>(Clock::now() - start).count());
        return metrics;
      });
  const TrialSet finished = finished_trials(context.run, planned);
  const RunSummary summary{.experiment = name(),
                           .metric = metric,
                           .axes = {"seed"},
                           .notes = notes_of(finished, data),
                           .warnings = {}};
  context.console.result(result_tables_text(finished, metric));
  for (const std::string& note : summary.notes) context.console.result(note);
  finish_run(context, planned, summary, diverged);
}

}  // namespace tarn
