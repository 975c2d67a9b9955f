#include "tarn/experiments/sentence_options.hpp"

#include "tarn/experiments/option_tables.hpp"
#include "tarn/experiments/readout_options.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

std::string owner(SentenceTask task) {
  return std::string(enum_names(task)[static_cast<std::size_t>(task)]);
}

/// What a readout gets unless the user says otherwise: the published command's widths, or the program's.
Value protocol_defaults(const std::string& readout, TextProtocol protocol) {
  Value options{Value::Table{}};
  const bool official = protocol == TextProtocol::official;
  if (readout == "glot") {
    options.set("hidden_channels", official ? 256 : 128);
    options.set("tau", official ? 0.8 : 0.6);
  } else if (readout == "adapool" && official) {
    options.set("hidden_channels", 256);
  }
  return options;
}

void settle(SentenceOptions& o) {
  const bool official = o.protocol == TextProtocol::official;
  if (!o.epochs) o.epochs = official ? 3 : 5;
  if (!o.head_epochs) o.head_epochs = official ? 3 : 50;
  if (!o.lr) o.lr = official ? 2e-4 : 1e-3;
}

SentenceOptions read_own(SentenceTask task, const Value& own) {
  if (task == SentenceTask::tokens) return read_options<TokensOptions>(own, owner(task));
  return read_options<StsOptions>(own, owner(task));
}

Value write_own(const SentenceOptions& o) {
  if (o.task == SentenceTask::tokens) {
    TokensOptions own;
    static_cast<SentenceOptions&>(own) = o;
    return write_options(own);
  }
  StsOptions own;
  static_cast<SentenceOptions&>(own) = o;
  return write_options(own);
}

SentenceDataOptions read_data(SentenceTask task, const Value& given) {
  const Value* data = given.find("data");
  if (data == nullptr) return {};
  return read_options<SentenceDataOptions>(*data, owner(task) + ".data");
}

template <class T>
void require_some(SentenceTask task, const char* option, const std::vector<T>& list) {
  if (list.empty())
    throw ConfigError(fmt::format("{}.{}: got []; expected at least one", owner(task), option));
}

}  // namespace

void SentenceOptions::fields(Fields& f) {
  f("protocol", protocol, "converged, or the published budget: 3 epochs at 2e-4");
  f("readouts", readouts, "which readouts, or \"all\"");
  f("seeds", seeds, at_least(0), "of parameters and order; one trial each");
  f("epochs", epochs, at_least(1), "of readouts that learn; null: as the protocol says");
  f("lr", lr, above(0), "learning rate of Adam; null: as the protocol says");
  f("batch", batch, at_least(1), "texts per step");
  f("weight_decay", weight_decay, at_least(0), "added to the gradient");
  f("select", select, "which epoch counts: the last, or the best on a tenth of the training texts held out");
  f("graph_cache_mb", graph_cache_mb, at_least(0), "token graphs kept in memory, all trials together");
  f("products", products, "factors of linear maps: full, or rounded to bfloat16 (faster, less exact)");
  if (task == SentenceTask::tokens) {
    f("head_epochs", head_epochs, at_least(1), "of heads on pooled vectors; null: as the protocol says");
    f("head", head, "on readouts without parameters: linear also shows the logistic ceiling");
    f("logistic_l2", logistic_l2, at_least(0), "penalty of the logistic regression");
    f("metric", metric, "that tables and selection go by; auto: by the store's task");
  } else {
    f("label_scale", label_scale, "of scores from 0 to 5: score / 5, score / 2.5 - 1, or as they are");
  }
}

void SentenceDataOptions::fields(Fields& f) {
  f("store", store, "token store; tarn inspect shows what it holds");
  f("layers", layers, "which layers of the store: last, mean or a number");
  f("train_split", train_split, "split to learn from");
  f("evaluation_split", evaluation_split, "split to measure on");
  f("train", train, at_least(2), "the first so many labelled rows to learn from; null: all");
  f("evaluation", evaluation, at_least(1), "the first so many labelled rows to measure on; null: all");
  f("cache_mb", cache_mb, at_least(0), "MiB of states kept in memory");
}

Value SentenceTrial::axes(const std::string& task) const {
  Value axes;
  axes.set("readout", plan.readout);
  axes.set("graph", graph);
  axes.set("task", task);
  axes.set("seed", seed);
  return axes;
}

SentencePlan SentencePlan::read(SentenceTask task, const Value& resolved) {
  SentencePlan plan{read_own(task, own_options(resolved)), read_data(task, resolved), {}};
  const SentenceOptions& o = plan.options;
  for (const Size seed : o.seeds) {
    for (const std::string& readout : o.readouts) {
      const Value& options = *resolved.find(readout);
      const Value* rule = options.find("graph");
      plan.trials.push_back({.plan = {.readout = readout,
                                      .options = options,
                                      .training = {.epochs = *o.epochs,
                                                   .batch = o.batch,
                                                   .lr = *o.lr,
                                                   .weight_decay = o.weight_decay,
                                                   .seed = static_cast<std::uint64_t>(seed),
                                                   .graph_cache_mb = o.graph_cache_mb,
                                                   .products = o.products},
                                      .head_epochs = o.head_epochs.value_or(0),
                                      .ceiling_l2 = o.logistic_l2},
                             .seed = seed,
                             .graph = rule == nullptr ? "none" : *rule->string()});
    }
  }
  return plan;
}

Value resolve_sentences(SentenceTask task, const Value& given) {
  SentenceOptions options = read_own(task, own_options(given));
  const SentenceDataOptions data = read_data(task, given);
  settle(options);
  require_some(task, "seeds", options.seeds);
  require_some(task, "readouts", options.readouts);
  if (data.store.empty()) {
    throw ConfigError(
        fmt::format("{}.data.store: got nothing; expected the path of a token store, as "
                    "export_hidden_states.py writes it",
                    owner(task)));
  }
  static_cast<void>(LayerSelection::parse(data.layers));
  Value resolved = write_own(options);
  resolved.set("data", write_options(data));
  const Value readouts = resolve_readouts(given, options.readouts, [&](const std::string& name) {
    return protocol_defaults(name, options.protocol);
  });
  for (const auto& [name, table] : *readouts.table()) resolved.set(name, table);
  return resolved;
}

std::vector<FieldDescription> describe_sentence_options(SentenceTask task) {
  std::vector<FieldDescription> result =
      task == SentenceTask::tokens ? describe_options<TokensOptions>() : describe_options<StsOptions>();
  describe_table(result, "data", describe_options<SentenceDataOptions>());
  return result;
}

}  // namespace tarn
