#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/token_batches.hpp"
#include "tarn/experiments/config.hpp"
#include "tarn/experiments/interruption.hpp"
#include "tarn/experiments/json.hpp"
#include "tarn/experiments/readout_options.hpp"
#include "tarn/experiments/trained_readout.hpp"
#include "tarn/experiments/verbs/catalogue.hpp"
#include "tarn/experiments/verbs/verbs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tarn::verbs {

namespace {

struct EmbedOptions {
  std::string readout;
  std::string checkpoint;
  Value layer = "last";
  std::vector<std::string> splits;
  Size batch = 64;
  Size cache_mb = 0;

  void fields(Fields& f) {
    f("readout", readout, "a readout without parameters; its options are keys of their own");
    f("checkpoint", checkpoint, "checkpoint of a trial, instead of a readout");
    f("layer", layer, {"last", "mean"}, "which stored layer; a checkpoint has its own");
    f("splits", splits, "only these; all if empty");
    f("batch", batch, at_least(1), "texts at a time");
    f("cache_mb", cache_mb, at_least(0), "MiB of states kept in memory");
  }
};

/// The options of `embed` among the keys, and what is left for the readout.
struct Request {
  EmbedOptions options;
  Value readout_options{Value::Table{}};
};

Request read_request(const std::vector<std::string>& overrides) {
  Value given{Value::Table{}}, own{Value::Table{}};
  apply_overrides(given, overrides);
  const std::vector<FieldDescription> known = describe_options<EmbedOptions>();
  Request request;
  for (const auto& [key, value] : *given.table()) {
    const bool is_own = std::any_of(known.begin(), known.end(),
                                    [&key = key](const FieldDescription& f) { return f.name == key; });
    (is_own ? own : request.readout_options).set(key, value);
  }
  request.options = read_options<EmbedOptions>(own, "embed");
  const EmbedOptions& o = request.options;
  if (o.readout.empty() == o.checkpoint.empty()) {
    throw ConfigError(
        fmt::format("embed: got {}; expected readout=NAME or checkpoint=FILE",
                    o.readout.empty() ? "neither readout nor checkpoint" : "both readout and checkpoint"));
  }
  if (!o.checkpoint.empty() && !request.readout_options.table()->empty()) {
    const auto& [key, value] = request.readout_options.table()->front();
    throw ConfigError(
        fmt::format("{}: a checkpoint has its options; expected none beside it", value.where()));
  }
  return request;
}

std::string layer_text(const Value& layer) {
  return layer.string() != nullptr ? *layer.string() : layer.text();
}

/// The readout that a request names and the layers it reads.
struct Embedder {
  std::unique_ptr<Readout> readout;
  ReadoutRecord record;
};

Embedder make_embedder(const Request& request, Size dim) {
  Embedder result;
  if (!request.options.checkpoint.empty()) {
    result.record = read_readout_record(request.options.checkpoint);
    if (result.record.dim != dim) {
      throw DataError(fmt::format("{}: reads states of width {}; the store has {}",
                                  request.options.checkpoint, result.record.dim, dim));
    }
    result.readout = load_readout(request.options.checkpoint);
    return result;
  }
  static_cast<void>(readouts().at(request.options.readout));
  if (const std::string reason = why_unfit(request.options.readout); !reason.empty()) {
    throw ConfigError(fmt::format("embed: {} does not fit: {}; expected a readout of the rows of a set alone",
                                  request.options.readout, reason));
  }
  Value options = essential_options(request.options.readout);
  options.merge(request.readout_options);
  result.record = {request.options.readout, options, dim, layer_text(request.options.layer)};
  result.readout = make_readout(result.record.readout, dim, result.record.options);
  if (const Size parameters = result.readout->num_parameters(); parameters > 0) {
    throw ConfigError(fmt::format("embed: {} has {} parameters; expected checkpoint=FILE of a trained one",
                                  result.record.readout, parameters));
  }
  return result;
}

/// The data sets of one split in the file.
class SplitWriter {
 public:
  SplitWriter(h5::File& file, const TokenSplit& split, LabelType labels, Size dim)
      : group_(file.create_group(split.name())), dim_(dim) {
    for (Size text = 0; text < split.num_texts(); ++text) {
      pooled_.push_back(group_.create_dataset(std::string(1, static_cast<char>('a' + text)),
                                              h5::TypeOf<Real>::value, {split.rows(), dim}));
    }
    std::vector<std::int64_t> ids, classes;
    std::vector<double> values;
    for (Size row = 0; row < split.rows(); ++row) {
      ids.push_back(split.id(row));
      if (labels == LabelType::classes) classes.push_back(static_cast<std::int64_t>(split.label(row)));
      if (labels == LabelType::real) values.push_back(split.label(row));
    }
    group_.write("ids", ids);
    if (labels == LabelType::classes) group_.write("labels", classes);
    if (labels == LabelType::real) group_.write("labels", values);
  }

  void write(Size text, Size first_row, ConstMatrixView y) {
    pooled_[static_cast<std::size_t>(text)].write(
        {first_row, 0}, {y.rows, dim_},
        std::span<const Real>(y.data, static_cast<std::size_t>(y.rows * dim_)));
  }

 private:
  h5::Group group_;
  std::vector<h5::Dataset> pooled_;
  Size dim_;
};

void embed_split(const TokenSplit& split, LabelType labels, Embedder& embedder, const EmbedOptions& options,
                 h5::File& file, Console& console) {
  SplitWriter writer(file, split, labels, embedder.readout->out_dim(split.dim()));
  console.progress().start("embed " + split.name(), "texts", static_cast<double>(split.rows()));
  BatchStream batches(split, {.batch_size = options.batch,
                              .layers = LayerSelection::parse(embedder.record.layer),
                              .shuffle = Shuffle::none});
  Tape tape;
  Size row = 0;
  while (const std::optional<StoreBatch> batch = batches.next()) {
    if (interruption_requested()) throw Interrupted("embed: interrupted; nothing was written");
    for (std::size_t text = 0; text < batch->texts.size(); ++text) {
      tape.reset({.training = false});
      const TokenBatch& states = batch->texts[text];
      const Var y = embedder.readout->forward({.x = tape.input(states.x), .sets = states.sets}).y;
      writer.write(static_cast<Size>(text), row, y.value());
    }
    row += static_cast<Size>(batch->rows.size());
    console.progress().advance(static_cast<double>(batch->rows.size()));
  }
  console.progress().finish();
}

}  // namespace

int embed(const EmbedArguments& arguments, Console& console) {
  const Request request = read_request(arguments.overrides);
  const TokenStore store =
      TokenStore::open(arguments.store, {.cache_mb = request.options.cache_mb,
                                         .sequential = true,
                                         .warn = [&](const auto& line) { console.warning(line); }});
  Embedder embedder = make_embedder(request, store.info().hidden_size);
  const std::vector<std::string> splits =
      request.options.splits.empty() ? store.split_names() : request.options.splits;
  const InterruptionGuard guard;
  h5::write_atomically(arguments.out, [&](h5::File& file) {
    file.set_attribute("format", "tarn-embeddings");
    file.set_attribute("store", arguments.store);
    file.set_attribute("readout", to_json(embedder.record.value()));
    for (const std::string& split : splits) {
      embed_split(store.split(split), store.info().label_type, embedder, request.options, file, console);
    }
  });
  console.note(
      fmt::format("{}: {} of {} splits written", arguments.out, embedder.record.readout, splits.size()));
  return 0;
}

std::string embed_keys() {
  return key_lines(describe_options<EmbedOptions>());
}

}  // namespace tarn::verbs
