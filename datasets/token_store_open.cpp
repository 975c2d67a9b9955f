#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace tarn::detail {

namespace {

constexpr Size newest_version = 1;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

std::string text_or(const h5::Object& object, const std::string& name, const std::string& otherwise) {
  return object.has_attribute(name) ? object.attribute<std::string>(name) : otherwise;
}

Size number_or(const h5::Object& object, const std::string& name, Size otherwise) {
  return object.has_attribute(name) ? object.attribute<std::int64_t>(name) : otherwise;
}

void require_format(const h5::File& file) {
  const std::string format = text_or(file, "format", "");
  if (format != "tarn-token-store") {
    refuse(file, format.empty() ? "attribute 'format' is missing" : fmt::format("format '{}'", format),
           "'tarn-token-store'");
  }
  const Size version = file.attribute<std::int64_t>("version");
  if (version > newest_version) {
    refuse(file, fmt::format("version {}", version),
           fmt::format("at most {}, the newest that this reader knows", newest_version));
  }
}

LabelType label_type_of(const h5::File& file) {
  const std::string name = text_or(file, "label_type", "none");
  for (const LabelType type : {LabelType::none, LabelType::classes, LabelType::real}) {
    if (label_type_name(type) == name) return type;
  }
  refuse(file, fmt::format("label_type '{}'", name), "none, class or real");
}

StoreInfo read_info(const h5::File& file) {
  require_format(file);
  StoreInfo info;
  const std::string dtype = file.attribute<std::string>("dtype");
  const auto type = state_type(dtype);
  if (!type) refuse(file, fmt::format("dtype '{}'", dtype), "f16, bf16, f32 or f64");
  info.dtype = *type;
  info.hidden_size = file.attribute<std::int64_t>("hidden_size");
  if (info.hidden_size < 1) refuse(file, fmt::format("hidden_size {}", info.hidden_size), "at least 1");
  info.layers = file.attribute_list<std::int64_t>("layers");
  const Size num_layers = file.attribute<std::int64_t>("num_layers");
  if (num_layers < 1 || num_layers != static_cast<Size>(info.layers.size())) {
    refuse(file, fmt::format("num_layers {} with {} numbers in layers", num_layers, info.layers.size()),
           "as many layers as it says, at least one");
  }
  info.label_type = label_type_of(file);
  info.num_texts = number_or(file, "num_texts", 1);
  if (info.num_texts < 1 || info.num_texts > 26) {
    refuse(file, fmt::format("num_texts {}", info.num_texts), "1 to 26");
  }
  info.model = text_or(file, "model", "");
  info.revision = text_or(file, "revision", "");
  info.exporter = text_or(file, "exporter", "");
  info.causal = number_or(file, "causal", 0) != 0;
  info.max_length = number_or(file, "max_length", 0);
  info.special_tokens = number_or(file, "special_tokens", 0) != 0;
  info.prefix = text_or(file, "prefix", "");
  info.task = text_or(file, "task", "");
  info.num_classes = number_or(file, "num_classes", 0);
  if (file.has_attribute("class_names")) info.class_names = file.attribute_list<std::string>("class_names");
  info.created = text_or(file, "created", "");
  info.config = text_or(file, "config", "{}");
  return info;
}

void require_offsets(const h5::Dataset& data, const std::vector<Size>& offsets, Size num_tokens,
                     bool complete) {
  if (offsets.front() != 0)
    refuse(data, fmt::format("first is {}", offsets.front()), "offsets that start at 0");
  const auto down = std::adjacent_find(offsets.begin(), offsets.end(), std::greater<>());
  if (down != offsets.end()) {
    refuse(data, fmt::format("entry {} is {} after {}", down - offsets.begin() + 1, *(down + 1), *down),
           "offsets that never descend");
  }
  if (offsets.back() > num_tokens) {
    refuse(data, fmt::format("end at {} but hidden has {} tokens", offsets.back(), num_tokens),
           fmt::format("offsets of at most {}", num_tokens));
  }
  if (complete && offsets.back() != num_tokens) {
    refuse(
        data,
        fmt::format("end at {} but hidden of this complete split has {} tokens", offsets.back(), num_tokens),
        fmt::format("offsets to end at {}", num_tokens));
  }
}

void require_hidden(const h5::Dataset& hidden, const StoreInfo& info) {
  const Shape shape = hidden.shape();
  const auto num_layers = static_cast<Size>(info.layers.size());
  const std::string expected =
      fmt::format("[T, {}, {}] (num_layers, hidden_size)", num_layers, info.hidden_size);
  if (shape.rank() != 3 || shape[1] != num_layers || shape[2] != info.hidden_size) {
    refuse(hidden, fmt::format("has shape {}", shape.text()), expected);
  }
  const h5::Type type = hidden.type();
  const bool encoded = text_or(hidden, "encoding", "") == "bfloat16";
  if (type != stored_type(info.dtype) || encoded != (info.dtype == StateType::bf16)) {
    refuse(hidden,
           fmt::format("holds {}{} but dtype is {}", h5::type_name(type), encoded ? " as bfloat16" : "",
                       state_type_name(info.dtype)),
           info.dtype == StateType::bf16 ? std::string("uint16 with attribute encoding = bfloat16")
                                         : std::string(h5::type_name(stored_type(info.dtype))));
  }
}

/// The first `rows` elements of a one-dimensional data set, refused if it is shorter.
template <class T>
std::vector<T> read_rows(const h5::Dataset& data, Size rows, std::string_view expected) {
  const Shape shape = data.shape();
  if (shape.rank() != 1 || shape[0] < rows) refuse(data, fmt::format("has shape {}", shape.text()), expected);
  return data.read<T>({0}, {rows});
}

void read_labels(const h5::Group& group, const StoreInfo& info, SplitData& split) {
  if (info.label_type == LabelType::none) return;
  const h5::Dataset data = group.dataset("labels");
  split.labels =
      read_rows<double>(data, split.rows, fmt::format("at least {} labels, one per row", split.rows));
  if (info.label_type != LabelType::classes) return;
  for (std::size_t row = 0; row < split.labels.size(); ++row) {
    if (split.labels[row] == -1 ||
        (split.labels[row] >= 0 && split.labels[row] < static_cast<double>(info.num_classes)))
      continue;
    refuse(data, fmt::format("row {}: label {}", row, split.labels[row]),
           fmt::format("a class in [0, {}), or -1 for none", info.num_classes));
  }
}

Size chunk_bytes_of(const h5::Dataset& data, StateType type) {
  const std::vector<Size> chunk = data.chunk();
  return std::accumulate(chunk.begin(), chunk.end(), state_bytes(type), std::multiplies<>());
}

TextData open_text(StoreFile& store, const h5::Group& group, const std::string& name,
                   const SplitData& split) {
  const std::shared_ptr<StoreShared>& shared = store.shared;
  const h5::Dataset offsets = group.dataset(name + "/offsets");
  h5::Dataset hidden = group.dataset(name + "/hidden");
  require_hidden(hidden, shared->info);
  const h5::ChunkCache cache = chunk_cache(shared->options, chunk_bytes_of(hidden, shared->info.dtype));
  hidden = h5::Dataset();  // HDF5 keeps the cache of the first opening while that one is open
  hidden = group.dataset(name + "/hidden", cache);
  TextData text;
  text.group = group.group(name);
  text.offsets = read_rows<std::int64_t>(
      offsets, split.rows + 1, fmt::format("at least {} offsets for {} rows", split.rows + 1, split.rows));
  require_offsets(offsets, text.offsets, hidden.shape()[0], split.complete);
  if (split.complete && offsets.shape()[0] != split.rows + 1) {
    refuse(offsets, fmt::format("has {} rows but the split has {}", offsets.shape()[0] - 1, split.rows),
           "the same number of rows in every text");
  }
  const bool direct = hidden.native_order() && !hidden.filtered() && store.file.starts_at_zero();
  if (shared->options.io == StoreIo::pread) {
    if (!direct || hidden.chunk().size() != 3 || hidden.chunk()[1] != 1 ||
        hidden.chunk()[2] != shared->info.hidden_size) {
      throw ValueError(
          fmt::format("{}: io = pread with data that HDF5 must convert; expected chunks [R, 1, {}], "
                      "uncompressed, in this machine's byte order",
                      hidden.where(), shared->info.hidden_size));
    }
    if (!shared->reader) shared->reader = std::make_unique<FileReader>(shared->path);
  }
  const bool contiguous = direct && hidden.contiguous_offset().has_value();
  if (contiguous && shared->options.io == StoreIo::automatic && !shared->map) {
    shared->map = std::make_unique<FileMap>(shared->path);
  }
  text.source = std::make_unique<TokenSource>(shared, std::move(hidden));
  return text;
}

std::unique_ptr<SplitData> open_split(StoreFile& store, const std::string& name) {
  const h5::Group group = store.file.group(name);
  auto split = std::make_unique<SplitData>();
  split->store = &store;
  split->name = name;
  split->rows = number_or(group, "rows", 0);
  if (split->rows < 0) refuse(group, fmt::format("rows {}", split->rows), "at least 0");
  split->complete = number_or(group, "complete", 0) != 0;
  for (Size t = 0; t < store.shared->info.num_texts; ++t) {
    split->texts.push_back(open_text(store, group, text_name(t), *split));
  }
  read_labels(group, store.shared->info, *split);
  if (group.has("ids")) {
    split->ids = read_rows<std::int64_t>(group.dataset("ids"), split->rows,
                                         fmt::format("at least {} ids, one per row", split->rows));
  } else {
    split->ids.resize(idx(split->rows));
    std::iota(split->ids.begin(), split->ids.end(), 0);
  }
  if (!split->complete && store.shared->options.warn) {
    store.shared->options.warn(fmt::format("{}: the export was interrupted; the first {} rows are used",
                                           group.where(), split->rows));
  }
  return split;
}

}  // namespace

std::shared_ptr<const StoreFile> open_store(const std::filesystem::path& path, const StoreOptions& options) {
  auto store = std::make_shared<StoreFile>();
  store->file = h5::File::open(path);
  store->shared = std::make_shared<StoreShared>();
  store->shared->path = path;
  store->shared->options = options;
  store->shared->info = read_info(store->file);
  for (const std::string& name : store->file.children()) {
    if (name == "vocabulary" || store->file.kind(name) != h5::Kind::group) continue;
    store->splits.emplace(name, open_split(*store, name));
  }
  if (store->file.has("vocabulary/ids") && store->file.has("vocabulary/tokens")) {
    store->vocabulary_ids = store->file.dataset("vocabulary/ids").read<std::int32_t>();
    store->vocabulary = store->file.dataset("vocabulary/tokens").read<std::string>();
    if (store->vocabulary.size() != store->vocabulary_ids.size()) {
      refuse(store->file.group("vocabulary"),
             fmt::format("has {} ids and {} tokens", store->vocabulary_ids.size(), store->vocabulary.size()),
             "one token per id");
    }
  }
  return store;
}

std::vector<Size> selected_layers(const LayerSelection& selection, const StoreShared& store) {
  const std::vector<Size>& layers = store.info.layers;
  std::vector<Size> every(layers.size());
  std::iota(every.begin(), every.end(), Size{0});
  switch (selection.kind()) {
    case LayerSelection::Kind::last:
      return {every.back()};
    case LayerSelection::Kind::one: {
      const auto found = std::find(layers.begin(), layers.end(), selection.layer());
      if (found == layers.end()) {
        throw ValueError(fmt::format("{}: layer {} is not stored; expected one of {}", store.path.string(),
                                     selection.layer(), fmt::join(layers, ", ")));
      }
      return {found - layers.begin()};
    }
    case LayerSelection::Kind::mix:
      if (selection.weights().size() != layers.size()) {
        throw ValueError(fmt::format("{}: {} layer weights; expected {}, one per stored layer",
                                     store.path.string(), selection.weights().size(), layers.size()));
      }
      return every;
    default:
      return every;
  }
}

}  // namespace tarn::detail
