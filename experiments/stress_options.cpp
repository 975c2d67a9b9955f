#include "tarn/experiments/stress_options.hpp"

#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/readout_options.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

constexpr const char* owner = "stress";
constexpr double structure_ratio = 0.9;
constexpr double structure_tau = 0.4;
constexpr Size structure_window = 2;

template <class E>
Value name_of(E value) {
  return std::string(enum_names(value)[static_cast<std::size_t>(value)]);
}

/// What a readout gets unless the user says otherwise.
Value protocol_defaults(const std::string& readout, TextProtocol protocol, StressEncoder encoder) {
  Value options{Value::Table{}};
  const bool deep = protocol == TextProtocol::official || encoder == StressEncoder::store;
  if (readout == "glot") {
    options.set("hidden_channels", 64);
    options.set("num_layers", deep ? 4 : 2);
    options.set("tau", deep ? 0.6 : 0.4);
  } else if (readout == "adapool" && protocol == TextProtocol::official) {
    options.set("hidden_channels", 256);
  }
  return options;
}

/// Fills what the protocol decides.
void settle(StressRunOptions& o) {
  const bool official = o.protocol == TextProtocol::official;
  if (!o.epochs) o.epochs = official ? 3 : 10;
  if (!o.head_epochs) o.head_epochs = official ? 3 : 200;
  if (!o.lr) o.lr = official ? 1e-4 : 1e-3;
}

/// The structure test belongs to the run as it comes; whoever chooses other texts or readouts asks for it.
bool structure_by_default(const Value& own, const StressRunOptions& o) {
  const bool chosen = std::any_of(own.table()->begin(), own.table()->end(), [](const auto& entry) {
    return entry.first == "mode" || entry.first == "encoder" || entry.first == "ratios" ||
           entry.first == "readouts" || entry.first == "head";
  });
  return !chosen && o.encoder == StressEncoder::synthetic && o.protocol == TextProtocol::converged;
}

template <class T>
void require_some(const char* option, const std::vector<T>& list) {
  if (list.empty()) throw ConfigError(fmt::format("{}.{}: got []; expected at least one", owner, option));
}

/// Throws for texts that cannot be made, before any is.
void check_texts(const StressRunOptions& o) {
  for (const double ratio : o.ratios) {
    static_cast<void>(generate_stress_texts({.mode = o.mode,
                                             .num_samples = 2,
                                             .seq_len = o.seq_len,
                                             .ratio = ratio,
                                             .position = o.position,
                                             .distance = o.distance}));
  }
}

void check_source(const StressRunOptions& o, const StressDataOptions& data) {
  if ((o.encoder == StressEncoder::store) == data.store.empty()) {
    throw ConfigError(
        fmt::format("{}.encoder: got \"{}\" with data.store = \"{}\"; expected encoder = \"store\" with "
                    "the path of a token store, or another encoder without one",
                    owner, *name_of(o.encoder).string(), data.store));
  }
  if (!data.store.empty() && o.ratios.size() > 1 && data.store.find("{ratio}") == std::string::npos) {
    throw ConfigError(
        fmt::format("{}.data.store: got \"{}\" for {} ratios; expected a path with {{ratio}} in "
                    "it, or the one ratio of this store in ratios",
                    owner, data.store, o.ratios.size()));
  }
  static_cast<void>(LayerSelection::parse(data.layers));
}

StressDataOptions read_data(const Value& given) {
  const Value* data = given.find("data");
  return data == nullptr ? StressDataOptions{} : read_options<StressDataOptions>(*data, "stress.data");
}

/// `glot` of the structure test: as configured, but over the given rule.
Value structure_glot(const Value& resolved, const char* rule) {
  Value options = protocol_defaults("glot", TextProtocol::converged, StressEncoder::raw);
  if (const Value* glot = resolved.find("glot")) options.merge(*glot);
  options.set("graph", rule);
  options.set("tau", structure_tau);
  options.set("window", structure_window);
  return options;
}

class PlanWriter {
 public:
  PlanWriter(const Value& resolved, StressPlan& plan) : resolved_(resolved), plan_(plan) {}

  void write() {
    const StressRunOptions& o = plan_.options;
    for (const double ratio : o.ratios) {
      for (const Size seed : o.seeds) {
        const StressCase setting{o.mode, o.encoder, ratio, seed};
        add_controls(setting);
        for (const std::string& readout : o.readouts)
          add(setting, readout, *resolved_.find(readout), *o.epochs);
      }
    }
    if (!o.structure.value_or(false)) return;
    for (const Size seed : o.seeds) {
      const StressCase setting{StressMode::relational, StressEncoder::raw, structure_ratio, seed};
      add_controls(setting);
      for (const char* readout : {"mean", "max", "first", "adapool"}) {
        add(setting, readout, protocol_defaults(readout, TextProtocol::converged, StressEncoder::raw),
            o.structure_epochs);
      }
      for (const char* rule : {"cosine-threshold", "window"}) {
        add(setting, "glot", structure_glot(resolved_, rule), o.structure_epochs);
      }
    }
  }

 private:
  void add_controls(const StressCase& setting) {
    for (const std::string_view name : stress_controls) {
      StressTrial trial{.setting = setting, .plan = {}, .control = true};
      trial.plan.readout = name;
      plan_.trials.push_back(trial);
    }
  }

  void add(const StressCase& setting, const std::string& readout, const Value& options, Size epochs) {
    const StressRunOptions& o = plan_.options;
    const Value* rule = options.find("graph");
    plan_.trials.push_back({.setting = setting,
                            .plan = {.readout = readout,
                                     .options = options,
                                     .training = {.epochs = epochs,
                                                  .batch = o.batch,
                                                  .lr = *o.lr,
                                                  .seed = static_cast<std::uint64_t>(setting.seed),
                                                  .graph_cache_mb = o.graph_cache_mb,
                                                  .products = o.products},
                                     .head_epochs = *o.head_epochs},
                            .control = false,
                            .graph = rule == nullptr ? "none" : *rule->string()});
  }

  const Value& resolved_;
  StressPlan& plan_;
};

}  // namespace

void StressRunOptions::fields(Fields& f) {
  f("protocol", protocol, "converged, or the published budget: 3 epochs at 1e-4");
  f("mode", mode, "which generator of texts");
  f("encoder", encoder, "the embedded one, the same without context, or states of a token store");
  f("ratios", ratios, between(0, 1), "share of noise in a text");
  f("readouts", readouts, "which readouts, or \"all\"");
  f("seeds", seeds, at_least(0), "of texts, parameters and order; one trial each");
  f("head", head, "on readouts without parameters: linear also shows the logistic ceiling");
  f("seq_len", seq_len, at_least(8), "most tokens of a text");
  f("position", position, "where the clause stands");
  f("distance", distance, at_least(0), "noise words inside the clause");
  f("encoder_seed", encoder_seed, at_least(0), "of the embedded encoder's vectors");
  f("epochs", epochs, at_least(1), "of readouts that learn; null: as the protocol says");
  f("head_epochs", head_epochs, at_least(1), "of heads on pooled vectors; null: as the protocol says");
  f("lr", lr, above(0), "learning rate of Adam; null: as the protocol says");
  f("batch", batch, at_least(1), "texts per step");
  f("graph_cache_mb", graph_cache_mb, at_least(0), "token graphs kept in memory, all trials together");
  f("products", products, "factors of linear maps: full, or rounded to bfloat16 (faster, less exact)");
  f("structure", structure, "also run the structure test; null: in the default run");
  f("structure_epochs", structure_epochs, at_least(1), "of readouts that learn, in the structure test");
}

void StressDataOptions::fields(Fields& f) {
  f("store", store,
    "token store with splits train and validation; {mode}, {ratio}, {seed} in the path are filled in");
  f("layers", layers, "which layers of the store: last, mean or a number");
  f("train", train, at_least(2), "training texts; null: 2000, or all of a store");
  f("evaluation", evaluation, at_least(2), "evaluation texts; null: 500, or all of a store");
}

Value StressTrial::axes() const {
  Value axes;
  axes.set("readout", plan.readout);
  axes.set("graph", graph);
  axes.set("mode", name_of(setting.mode));
  axes.set("encoder", name_of(setting.encoder));
  axes.set("ratio", setting.ratio);
  axes.set("seed", setting.seed);
  return axes;
}

Size planned_epochs(const StressTrial& trial, const StressRunOptions& options) {
  if (trial.control) return 0;
  if (learns(trial.plan, 8)) return trial.plan.training.epochs;
  return options.head == FixedHead::logistic ? 0 : trial.plan.head_epochs;
}

Value resolve_stress(const Value& given) {
  const Value own = own_options(given);
  auto options = read_options<StressRunOptions>(own, owner);
  StressDataOptions data = read_data(given);
  if (own.find("encoder") == nullptr && !data.store.empty()) options.encoder = StressEncoder::store;
  settle(options);
  if (!options.structure) options.structure = structure_by_default(own, options);
  require_some("ratios", options.ratios);
  require_some("seeds", options.seeds);
  require_some("readouts", options.readouts);
  check_texts(options);
  check_source(options, data);
  if (options.encoder != StressEncoder::store) {
    data.train = data.train.value_or(2000);
    data.evaluation = data.evaluation.value_or(500);
  }
  Value resolved = write_options(options);
  resolved.set("data", write_options(data));
  const Value readouts = resolve_readouts(given, options.readouts, [&](const std::string& name) {
    return protocol_defaults(name, options.protocol, options.encoder);
  });
  for (const auto& [name, table] : *readouts.table()) resolved.set(name, table);
  return resolved;
}

std::vector<FieldDescription> describe_stress_options() {
  std::vector<FieldDescription> result = describe_options<StressRunOptions>();
  describe_table(result, "data", describe_options<StressDataOptions>());
  return result;
}

StressPlan StressPlan::read(const Value& resolved) {
  StressPlan plan{read_options<StressRunOptions>(own_options(resolved), owner), read_data(resolved), {}};
  PlanWriter(resolved, plan).write();
  return plan;
}

}  // namespace tarn
