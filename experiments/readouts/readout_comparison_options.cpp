#include "tarn/experiments/readouts/readout_comparison_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/graphs/graph_classification.hpp"
#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/pooling/layer_readouts/layer_readout.hpp"
#include "tarn/pooling/query_readouts/query_readout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr const char* owner = "readouts";
const std::vector<std::string> tables = {"stress", "graphs"};

struct DataOptions {
  std::optional<Size> train;
  void fields(Fields& f) {
    f("train", train, at_least(2), "training texts, and training graphs of a fold; null: all there are");
  }
};

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

template <class T>
void require_some(const char* option, const std::vector<T>& list) {
  if (list.empty()) throw ConfigError(fmt::format("{}.{}: got []; expected at least one", owner, option));
}

void check_tasks(const std::vector<std::string>& tasks) {
  require_some("tasks", tasks);
  const std::vector<std::string> known{stress_task, graphs_task};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!contains(known, tasks[i])) {
      throw ConfigError(
          fmt::format("{}.tasks: unknown task '{}'{}", owner, tasks[i], suggestion(tasks[i], known)));
    }
    if (std::find(tasks.begin(), tasks.begin() + static_cast<std::ptrdiff_t>(i), tasks[i]) !=
        tasks.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw ConfigError(fmt::format("{}.tasks: got '{}' twice; expected each once", owner, tasks[i]));
    }
  }
}

/// The readouts that were asked for, all that fit without any.
std::vector<std::string> chosen_readouts(const ReadoutComparisonOptions& o, const Value& own) {
  if (own.find("readouts") == nullptr) return fitting_readouts();
  require_some("readouts", o.readouts);
  const std::vector<LeftOut> left_out = readouts_left_out();
  for (const std::string& name : o.readouts) {
    for (const LeftOut& one : left_out) {
      if (one.readout != name) continue;
      throw ConfigError(fmt::format("{}.readouts: '{}' does not fit: {}; expected some of {}", owner, name,
                                    one.reason, fmt::join(fitting_readouts(), ", ")));
    }
  }
  return o.readouts;
}

/// Options that a task takes from the comparison and so cannot have of its own.
const std::vector<std::string>& shared_options(const std::string& task) {
  static const std::vector<std::string> stress{"readouts", "ratios", "seeds", "structure"};
  static const std::vector<std::string> graphs{"readouts"};
  return task == "stress" ? stress : graphs;
}

Value without(const Value& table, const std::vector<std::string>& keys) {
  Value::Table kept;
  for (const auto& entry : *table.table()) {
    if (!contains(keys, entry.first)) kept.push_back(entry);
  }
  return kept;
}

Value list_of(const std::vector<std::string>& texts) {
  return Value::List(texts.begin(), texts.end());
}

/// Sizes for states of width 64: those that the readouts come with are made for widths of thousands, or take
/// most of a run's time.
Value comparison_defaults(const std::string& readout) {
  Value options{Value::Table{}};
  if (readout == "latent-attention" || readout == "perceiver-pooling") {
    options.set("num_latents", 16);
    options.set("heads", 4);
    options.set("dim_head", 16);
  } else if (readout == "equilibrium") {
    options.set("out_channels", 32);
    options.set("num_layers", Value::List{Size{32}});
  }
  return options;
}

/// What every task is given: the comparison's options, under the task's own table.
Value task_options(const Value& given, const std::string& table, const ReadoutComparisonOptions& o) {
  const Value own = table_of(given, table);
  for (const std::string& key : shared_options(table)) {
    const Value* value = own.find(key);
    if (value == nullptr) continue;
    throw ConfigError(fmt::format("{}{}.{}: belongs to the comparison itself; expected {}",
                                  value->where().empty() ? "" : value->where() + ": ", table, key,
                                  key == "structure" ? "no structure test here" : key + "=..."));
  }
  Value options{Value::Table{}};
  if (const Value* shared = given.find("readout")) options.set("readout", *shared);
  for (const std::string& name : o.readouts) {
    Value readout = comparison_defaults(name);
    if (const Value* own_table = given.find(name)) readout.merge(*own_table);
    if (!readout.table()->empty()) options.set(name, readout);
  }
  if (const Value* train = given.find_path("data.train"); train != nullptr && !train->is_null())
    options.set_path("data.train", *train);
  options.merge(own);
  options.set("readouts", list_of(o.readouts));
  if (o.epochs) options.set("epochs", *o.epochs);
  if (o.batch) options.set("batch", *o.batch);
  if (o.lr) options.set("lr", *o.lr);
  return options;
}

Value stress_options(const Value& given, const ReadoutComparisonOptions& o) {
  Value options = task_options(given, "stress", o);
  options.set("ratios", Value::List(o.ratios.begin(), o.ratios.end()));
  options.set("seeds", Value::List(o.seeds.begin(), o.seeds.end()));
  options.set("structure", false);
  return options;
}

bool has_task(const ReadoutComparisonOptions& o, const char* task) {
  return contains(o.tasks, task);
}

}  // namespace

void ReadoutComparisonOptions::fields(Fields& f) {
  f("tasks", tasks, "stress (each ratio counts as one task), graphs-demo");
  f("readouts", readouts, "which readouts; by default all that fit");
  f("ratios", ratios, between(0, 1), "shares of noise of the stress test");
  f("seeds", seeds, at_least(0), "of the stress test; graphs-demo repeats over its folds");
  f("epochs", epochs, at_least(1), "of readouts that learn; null: each task's own, 10 and 30");
  f("batch", batch, at_least(1), "texts or graphs per step; null: each task's own, 32");
  f("lr", lr, above(0), "learning rate of Adam; null: each task's own, 0.001 and 0.01");
}

std::vector<LeftOut> readouts_left_out() {
  std::vector<LeftOut> result;
  for (const ReadoutEntry& entry : set_readout_entries()) {
    if (std::string reason = why_unfit(entry.name); !reason.empty())
      result.push_back({entry.name, std::move(reason)});
  }
  const auto leave_out = [&](const std::vector<std::string>& names, const char* reason) {
    for (const std::string& name : names) {
      const bool known =
          std::any_of(result.begin(), result.end(), [&](const LeftOut& one) { return one.readout == name; });
      if (!known && readouts().find(name) == nullptr) result.push_back({name, reason});
    }
  };
  leave_out(query_readouts().names(),
            "pools for a query, and there is none (tarn run retrieval-toy has some)");
  leave_out(layer_readouts().names(), "reads all layers of a row, and these rows have one");
  leave_out(layer_pools().names(), "reads the history of all layers, and a text has one");
  return result;
}

GraphPreset embedded_graphs() {
  for (GraphPreset& preset : graph_presets()) {
    if (preset.name == graphs_task) return preset;
  }
  throw ConfigError(fmt::format("{}: no such experiment; expected it among the built-in ones", graphs_task));
}

Value resolve_readout_comparison(const Value& given) {
  const Value own = own_options(given, set_readout_entries(), tables);
  auto options = read_options<ReadoutComparisonOptions>(own, owner);
  const auto data = read_options<DataOptions>(table_of(given, "data"), "readouts.data");
  check_tasks(options.tasks);
  require_some("ratios", options.ratios);
  require_some("seeds", options.seeds);
  options.readouts = chosen_readouts(options, own);
  Value resolved = write_options(options);
  resolved.set("data", write_options(data));
  if (has_task(options, stress_task)) {
    resolved.set("stress", without(resolve_stress(stress_options(given, options)), shared_options("stress")));
  }
  if (has_task(options, graphs_task)) {
    resolved.set("graphs",
                 without(resolve_graph_run(task_options(given, "graphs", options), embedded_graphs()),
                         shared_options("graphs")));
  }
  return resolved;
}

std::vector<FieldDescription> describe_readout_comparison() {
  std::vector<FieldDescription> result = describe_options<ReadoutComparisonOptions>();
  for (FieldDescription& field : result) {
    if (field.name == "readouts") field.default_value = "all";
  }
  describe_table(result, "data", describe_options<DataOptions>());
  result.push_back({"stress.OPTION", "table", Value(), "an option of stress", "tarn describe stress"});
  result.push_back(
      {"graphs.OPTION", "table", Value(), "an option of graphs-demo", "tarn describe graphs-demo"});
  return result;
}

ReadoutComparisonPlan ReadoutComparisonPlan::read(const Value& resolved) {
  ReadoutComparisonPlan plan;
  plan.options =
      read_options<ReadoutComparisonOptions>(own_options(resolved, set_readout_entries(), tables), owner);
  if (has_task(plan.options, stress_task)) {
    plan.stress = StressPlan::read(stress_options(resolved, plan.options));
    std::erase_if(plan.stress->trials, [](const StressTrial& trial) { return trial.control; });
  }
  if (has_task(plan.options, graphs_task))
    plan.graphs = GraphPlan::read(task_options(resolved, "graphs", plan.options));
  return plan;
}

}  // namespace tarn
