#include "tarn/experiments/graphs/graph_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/readout_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tarn {

namespace {

constexpr const char* owner = "graphs";
/// What a model is built for before any data is read.
constexpr GraphModelShape trial_shape{.feature_dim = 8, .edge_dim = 4, .outputs = 2};

const std::vector<std::string> tables = {"generate", "model", "lr_of", "grid"};

/// Set readouts, layer pools and the edge-free model, as names of a run.
std::vector<ReadoutEntry> graph_readout_entries(const GraphModelOptions& model) {
  std::vector<ReadoutEntry> entries = set_readout_entries();
  for (const auto& entry : layer_pools().entries()) {
    const std::string name = entry.name;
    entries.push_back({name,
                       entry.describe,
                       entry.resolve,
                       [name, model](const Value& options) {
                         static_cast<void>(make_graph_model(model, name, options, trial_shape));
                       },
                       {"layers", "in_channels"}});
  }
  entries.push_back({edge_free,
                     [] { return std::vector<FieldDescription>{}; },
                     [](const Value& options) { return options; },
                     [](const Value&) {},
                     {}});
  return entries;
}

/// What a readout gets unless the user says otherwise.
Value readout_defaults(const std::string& readout, const GraphModelOptions& model) {
  Value options{Value::Table{}};
  if (readout == "histograph") {
    options.set("dim", model.widths.empty() ? Size{1} : model.widths.back());
    options.set("residual", true);
    options.set("layer_norm", true);
  }
  return options;
}

/// The grid of Errica et al. for GIN.
Value published_grid() {
  const auto widths = [](Size width, std::size_t layers) { return Value(Value::List(layers, Value(width))); };
  Value grid;
  grid.set_path("model.widths", Value::List{widths(64, 4), widths(32, 4), widths(64, 1), widths(32, 2)});
  grid.set_path("model.conv_options.train_eps", Value::List{true, false});
  grid.set_path("model.conv_options.aggr", Value::List{"sum", "mean"});
  grid.set_path("model.head_dropout", Value::List{0.0, 0.5});
  grid.set("batch", Value::List{Size{32}, Size{128}});
  grid.set("stop_on", Value::List{"loss", "metric"});
  return grid;
}

/// Fills what the protocol decides.
void settle(GraphRunOptions& o) {
  if (!o.seeds) {
    o.seeds = std::vector<Size>{0};
    for (Size seed = 1; o.protocol == Protocol::holdout && seed < 10; ++seed) o.seeds->push_back(seed);
  }
  if (!o.epochs) o.epochs = o.protocol == Protocol::gin_cv ? 350 : o.protocol == Protocol::fair ? 1000 : 100;
}

void require_some(const char* option, bool some) {
  if (!some) throw ConfigError(fmt::format("{}: got []; expected at least one", option));
}

/// A grid tries what belongs to models and their training, not the data or the protocol itself.
void check_grid(const Value& grid) {
  for (const auto& [key, value] : *grid.table()) {
    for (const char* fixed : {"data", "generate", "protocol", "readouts", "seeds", "folds", "repeats",
                              "split", "split_seed", "validation", "retrain", "lr_of"}) {
      if (key != fixed) continue;
      throw ConfigError(fmt::format(
          "{}grid.{}: is the same for all points; expected options of model, readouts or training",
          value.where().empty() ? "" : value.where() + ": ", key));
    }
  }
}

void check_lr_of(const Value& lr_of, const std::vector<std::string>& readouts) {
  for (const auto& [name, lr] : *lr_of.table()) {
    const auto number = lr.number();
    if (!number || !(*number > 0)) {
      throw ConfigError(fmt::format("{}lr_of.{}: got {}; expected a number above 0",
                                    lr.where().empty() ? "" : lr.where() + ": ", name, lr.text()));
    }
    if (std::find(readouts.begin(), readouts.end(), name) != readouts.end()) continue;
    throw ConfigError(fmt::format("{}lr_of: unknown readout '{}'{}",
                                  lr.where().empty() ? "" : lr.where() + ": ", name,
                                  suggestion(name, readouts)));
  }
}

/// Rates of readouts that are not in the run are left out: the user may have chosen fewer.
Value lr_of_chosen(const Value& preset, const Value& given, const std::vector<std::string>& readouts) {
  Value result{Value::Table{}};
  const Value defaults = table_of(preset, "lr_of"), own = table_of(given, "lr_of");
  for (const auto& [name, lr] : *defaults.table()) {
    if (std::find(readouts.begin(), readouts.end(), name) != readouts.end()) result.set(name, lr);
  }
  result.merge(own);
  check_lr_of(result, readouts);
  return result;
}

}  // namespace

void GraphRunOptions::fields(Fields& f) {
  f("protocol", protocol, "how graphs are divided and epochs chosen");
  f("readouts", readouts, "set readouts, layer pools and edge-free, or \"all\"");
  f("seeds", seeds, at_least(0), "of parameters and order; null: [0], for holdout 0 to 9");
  f("folds", folds, at_least(2), "of protocols with folds of their own");
  f("repeats", repeats, at_least(1), "of repeated-cv, each with folds of its own");
  f("split", split,
    "name of a split that came with the set, or stratified: folds of one's own; auto: gin10_seed0 or, for "
    "fair, fair10 "
    "where the set has it");
  f("split_seed", split_seed, at_least(0), "of stratified folds");
  f("validation", validation, Bounds{.low = 0, .high = 0.5, .low_open = true},
    "share of the training graphs that chooses, where the split names none");
  f("epochs", epochs, at_least(1), "at most; null: 350 for gin-cv, 1000 for fair, else 100");
  f("epoch", epoch, "pass: every graph once; draws:N: N batches, each drawn afresh");
  f("batch", batch, at_least(1), "graphs per step");
  f("lr", lr, above(0), "learning rate of Adam");
  f("backbone_lr", backbone_lr, at_least(0), "factor on lr for the backbone");
  f("readout_lr", readout_lr, at_least(0), "factor on lr for the readout");
  f("head_lr", head_lr, at_least(0), "factor on lr for the head");
  f("lr_step", lr_step, at_least(1), "epochs after which lr is multiplied by lr_decay");
  f("lr_decay", lr_decay, above(0), "factor on lr after every lr_step epochs");
  f("warmup", warmup, at_least(0), "steps in which lr climbs to its value");
  f("clip", clip, at_least(0), "largest norm of all gradients together; 0: no limit");
  f("weight_decay", weight_decay, at_least(0), "added to the gradient");
  f("patience", patience, at_least(1), "epochs without improvement after which fair stops");
  f("stop_on", stop_on, "what fair stops by, on the validation graphs");
  f("retrain", retrain, at_least(1), "runs of fair with the chosen point");
}

Size GraphRunOptions::draws() const {
  if (epoch == "pass") return 0;
  constexpr std::string_view prefix = "draws:";
  Size count = 0;
  if (epoch.starts_with(prefix)) {
    const char* const end = epoch.data() + epoch.size();
    const auto [stop, error] = std::from_chars(epoch.data() + prefix.size(), end, count);
    if (error == std::errc() && stop == end && count >= 1) return count;
  }
  throw ConfigError(fmt::format("epoch: got '{}'; expected pass, or draws:N with N of at least 1", epoch));
}

void GraphDataOptions::fields(Fields& f) {
  f("path", path, "TU folder or zip, OGB folder or graph store");
  f("root", root, "folder that holds the TU sets; empty: TARN_DATA, then ../shared/data/tu");
  f("splits", splits,
    "split file: JSON, or a folder with test_idx-1.txt, ...; empty: what lies beside the set");
  f("train", train, at_least(2), "training graphs of a fold; null: all");
  f("normalize_attributes", normalize_attributes,
    "standard: mean 0 and deviation 1 over the training graphs");
  GraphSetOptions::fields(f);
}

GraphPlan GraphPlan::read(const Value& resolved, const Value& point) {
  Value config = resolved;
  if (!point.is_null()) config.merge(point);
  GraphPlan plan;
  plan.model = read_options<GraphModelOptions>(table_of(config, "model"), "model");
  const std::vector<ReadoutEntry> entries = graph_readout_entries(plan.model);
  plan.run = read_options<GraphRunOptions>(own_options(config, entries, tables), owner);
  plan.data = read_options<GraphDataOptions>(table_of(config, "data"), "data");
  plan.embedded = read_options<ChordGraphOptions>(table_of(config, "generate"), "generate");
  plan.readouts = Value(Value::Table{});
  for (const std::string& readout : plan.run.readouts)
    plan.readouts.set(readout, table_of(config, readout.c_str()));
  plan.lr_of = table_of(config, "lr_of");
  plan.grid = grid_points(table_of(config, "grid"));
  return plan;
}

double GraphPlan::lr(const std::string& readout) const {
  const Value* own = lr_of.find(readout);
  return own == nullptr ? run.lr : own->number().value_or(run.lr);
}

GraphTrainingOptions GraphPlan::training(const std::string& readout, const Rng& rng) const {
  return {.epochs = *run.epochs,
          .batch = run.batch,
          .draws = run.draws(),
          .lr = lr(readout),
          .backbone_lr = run.backbone_lr,
          .readout_lr = run.readout_lr,
          .head_lr = run.head_lr,
          .lr_step = run.lr_step,
          .lr_decay = run.lr_decay,
          .warmup = run.warmup,
          .clip = run.clip,
          .weight_decay = run.weight_decay,
          .rng = rng};
}

Value resolve_graph_run(const Value& given, const GraphPreset& preset) {
  Value all = preset.defaults;
  all.merge(given);
  auto model = read_options<GraphModelOptions>(table_of(all, "model"), "model");
  const bool gin = model.conv == "gin" || model.conv == "gine";
  if (gin && model.conv_options.find("norm") == nullptr) model.conv_options.set("norm", "batch-norm");

  const std::vector<ReadoutEntry> entries = graph_readout_entries(model);
  auto run = read_options<GraphRunOptions>(own_options(all, entries, tables), owner);
  settle(run);
  require_some("seeds", !run.seeds->empty());
  require_some("readouts", !run.readouts.empty());
  static_cast<void>(run.draws());
  const auto data = read_options<GraphDataOptions>(table_of(all, "data"), "data");
  if (preset.set.empty() && !preset.embedded && data.path.empty()) {
    throw ConfigError(
        fmt::format("{}: no set of graphs; expected data.path=FILE, a TU folder or zip, an OGB folder or a "
                    "graph store",
                    preset.name));
  }
  Value resolved = write_options(run);
  resolved.set("data", write_options(data));
  if (preset.embedded && data.path.empty()) {
    resolved.set("generate",
                 write_options(read_options<ChordGraphOptions>(table_of(all, "generate"), "generate")));
  }
  resolved.set("model", write_options(model));
  resolved.set("lr_of", lr_of_chosen(preset.defaults, given, run.readouts));
  Value grid = table_of(all, "grid");
  if (grid.table()->empty() && run.protocol == Protocol::fair && model.conv == "gin") grid = published_grid();
  const Value readouts = resolve_readouts(
      all, run.readouts, [&](const std::string& name) { return readout_defaults(name, model); }, entries);
  for (const auto& [name, options] : *readouts.table()) resolved.set(name, options);
  if (run.protocol == Protocol::fair) {
    check_grid(grid);
    resolved.set("grid", grid);
  }
  // Models are made once for nothing, so that options that do not fit together are told before any data is
  // read.
  for (const Value& point : GraphPlan::read(resolved).grid) {
    const GraphPlan plan = GraphPlan::read(resolved, point);
    for (const std::string& readout : plan.run.readouts) {
      static_cast<void>(make_graph_model(plan.model, readout, *plan.readouts.find(readout), trial_shape));
    }
  }
  return resolved;
}

std::vector<FieldDescription> describe_graph_run(const GraphPreset& preset) {
  std::vector<FieldDescription> result = describe_options<GraphRunOptions>();
  describe_table(result, "data", describe_options<GraphDataOptions>());
  describe_table(result, "model", describe_options<GraphModelOptions>());
  if (preset.embedded) describe_table(result, "generate", describe_options<ChordGraphOptions>());
  result.push_back({"lr_of.READOUT", "double", Value(), "a number above 0", "learning rate of one readout"});
  result.push_back(
      {"grid.OPTION", "list", Value(), "a list of values to try", "what protocol fair searches"});
  describe_defaults(result, preset.defaults);
  return result;
}

}  // namespace tarn
