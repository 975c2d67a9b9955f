#include "tarn/datasets/token_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/datasets/token_source.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace tarn {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

std::string_view label_type_name(LabelType type) {
  return type == LabelType::none ? "none" : type == LabelType::classes ? "class" : "real";
}

LayerSelection LayerSelection::one(Size layer) {
  LayerSelection selection(Kind::one);
  selection.layer_ = layer;
  return selection;
}

LayerSelection LayerSelection::mix(std::vector<double> weights) {
  LayerSelection selection(Kind::mix);
  selection.weights_ = std::move(weights);
  return selection;
}

LayerSelection LayerSelection::parse(std::string_view text) {
  if (text == "last") return last();
  if (text == "all") return all();
  if (text == "mean") return mean();
  Size layer = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), layer);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw ValueError(
        fmt::format("layers: got '{}'; expected last, all, mean or the number of a layer", text));
  }
  return one(layer);
}

inline namespace TARN_PRECISION {

namespace {

constexpr Size merge_gap_bytes = Size{32} << 10;
constexpr Size buffer_bytes = Size{4} << 20;

/// Tokens of one wanted row: where they lie in the file and where they go in the batch.
struct Range {
  Size begin = 0;
  Size end = 0;
  Size target = 0;
  Size row = 0;
};

/// Reads one text of a batch, layer by layer.
class BatchReader {
 public:
  BatchReader(const detail::SplitData& split, Size text, const LayerSelection& selection,
              std::span<const Size> rows)
      : store_(*split.store->shared), source_(*split.texts[idx(text)].source), selection_(selection) {
    const std::vector<Size>& offsets = split.texts[idx(text)].offsets;
    std::vector<Size> sets{0};
    for (const Size row : rows) {
      ranges_.push_back({offsets[idx(row)], offsets[idx(row) + 1], sets.back(), row});
      sets.push_back(sets.back() + ranges_.back().end - ranges_.back().begin);
    }
    batch_.sets = Segments(std::move(sets));
    std::stable_sort(ranges_.begin(), ranges_.end(),
                     [](const Range& a, const Range& b) { return a.begin < b.begin; });
  }

  TokenBatch read() {
    const std::vector<Size> layers = detail::selected_layers(selection_, store_);
    const Size dim = store_.info.hidden_size;
    const auto num_layers = static_cast<Size>(layers.size());
    const Size num_rows = batch_.sets.num_rows();
    const bool all = selection_.kind() == LayerSelection::Kind::all;
    batch_.x = Tensor(all ? Shape{num_rows, num_layers, dim} : Shape{num_rows, dim});
    source_.cache(layers);
    for (Size s = 0; s < num_layers; ++s) {
      out_ = {batch_.x.data() + (all ? s * dim : 0), num_rows, dim, all ? num_layers * dim : dim};
      layer_ = layers[idx(s)];
      weight_ = weight(s, num_layers);
      read_layer();
    }
    return std::move(batch_);
  }

 private:
  /// What a layer is multiplied by when layers are added up; 0 where they are not.
  [[nodiscard]] double weight(Size s, Size num_layers) const {
    if (selection_.kind() == LayerSelection::Kind::mean) return 1.0 / static_cast<double>(num_layers);
    return selection_.kind() == LayerSelection::Kind::mix ? selection_.weights()[idx(s)] : 0;
  }

  /// One read for every run of ranges that touch or nearly do.
  void read_layer() {
    const Size gap = merge_gap_bytes / source_.row_bytes();
    for (std::size_t first = 0; first < ranges_.size();) {
      Size end = ranges_[first].end;
      std::size_t last = first + 1;
      while (last < ranges_.size() && ranges_[last].begin <= end + gap) {
        end = std::max(end, ranges_[last].end);
        ++last;
      }
      read_run({ranges_.data() + first, last - first}, end);
      first = last;
    }
  }

  /// Reads a run in pieces that fit the buffer and hands each range its part.
  void read_run(std::span<const Range> run, Size end) {
    const Size step = std::max<Size>(1, buffer_bytes / source_.row_bytes());
    for (Size begin = run.front().begin; begin < end; begin += step) {
      const Size stop = std::min(begin + step, end);
      const detail::TokenSource::Block block = source_.fetch(layer_, begin, stop, buffer_);
      for (const Range& range : run) {
        const Size from = std::max(range.begin, begin);
        const Size to = std::min(range.end, stop);
        for (Size token = from; token < to; ++token) {
          convert(block.data + (token - begin) * block.stride, range, token - range.begin);
        }
      }
    }
  }

  void convert(const std::byte* stored, const Range& range, Size token) {
    const std::span<Real> out = out_.row_span(range.target + token);
    const bool add =
        selection_.kind() == LayerSelection::Kind::mean || selection_.kind() == LayerSelection::Kind::mix;
    if (add) state_.resize(out.size());
    const std::span<Real> state = add ? std::span<Real>(state_) : out;
    widen_states(store_.info.dtype, stored, state);
    if (store_.options.check_finite) require_finite(state, range.row, token);
    if (!add) return;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += static_cast<Real>(weight_) * state[i];
  }

  void require_finite(std::span<const Real> state, Size row, Size token) const {
    bool finite = true;
    for (const Real v : state) finite &= std::abs(v) <= std::numeric_limits<Real>::max();
    if (finite) return;
    const auto bad = std::find_if(state.begin(), state.end(), [](Real v) { return !std::isfinite(v); });
    throw DataError(
        fmt::format("{}: row {}, token {}, channel {} of layer {}: state is {}; expected finite numbers",
                    source_.where(), row, token, bad - state.begin(), store_.info.layers[idx(layer_)], *bad));
  }

  const detail::StoreShared& store_;
  const detail::TokenSource& source_;
  const LayerSelection& selection_;
  std::vector<Range> ranges_;
  TokenBatch batch_;
  MatrixView out_;
  Size layer_ = 0;
  double weight_ = 0;
  std::vector<std::byte> buffer_;
  std::vector<Real> state_;
};

/// Elements begin .. end-1 of an optional per-token data set.
template <class T>
std::vector<T> read_tokens(const detail::TextData& text, const std::string& name, Size row) {
  if (!text.group.has(name)) return {};
  const Size begin = text.offsets[idx(row)];
  return text.group.dataset(name).read<T>({begin}, {text.offsets[idx(row) + 1] - begin});
}

}  // namespace

const std::string& TokenSplit::name() const {
  return data_->name;
}
Size TokenSplit::rows() const {
  return data_->rows;
}
Size TokenSplit::dim() const {
  return data_->store->shared->info.hidden_size;
}
const std::vector<Size>& TokenSplit::layers() const {
  return data_->store->shared->info.layers;
}
Size TokenSplit::num_texts() const {
  return static_cast<Size>(data_->texts.size());
}
bool TokenSplit::complete() const {
  return data_->complete;
}
bool TokenSplit::has_labels() const {
  return data_->store->shared->info.label_type != LabelType::none;
}

double TokenSplit::label(Size row) const {
  require_row(row);
  return has_labels() ? data_->labels[idx(row)] : std::numeric_limits<double>::quiet_NaN();
}

std::int64_t TokenSplit::id(Size row) const {
  require_row(row);
  return data_->ids[idx(row)];
}

Size TokenSplit::length(Size row, Size text) const {
  require_row(row);
  require_text(text);
  const std::vector<Size>& offsets = data_->texts[idx(text)].offsets;
  return offsets[idx(row) + 1] - offsets[idx(row)];
}

Size TokenSplit::num_tokens(Size text) const {
  require_text(text);
  return data_->texts[idx(text)].offsets.back();
}

Size TokenSplit::stored_bytes(const LayerSelection& layers) const {
  const auto num_layers = static_cast<Size>(detail::selected_layers(layers, *data_->store->shared).size());
  Size bytes = 0;
  for (const detail::TextData& text : data_->texts) {
    bytes += text.offsets.back() * num_layers * text.source->row_bytes();
  }
  return bytes;
}

bool TokenSplit::reads_at_random(const LayerSelection& layers) const {
  const auto mapped = [](const detail::TextData& text) { return text.source->mapped(); };
  return std::all_of(data_->texts.begin(), data_->texts.end(), mapped) ||
         stored_bytes(layers) <= data_->store->shared->options.cache_mb << 20;
}

TokenBatch TokenSplit::read(std::span<const Size> rows, Size text, const LayerSelection& layers) const {
  require_text(text);
  for (const Size row : rows) require_row(row);
  return BatchReader(*data_, text, layers, rows).read();
}

std::vector<std::int32_t> TokenSplit::token_ids(Size row, Size text) const {
  require_row(row);
  require_text(text);
  return read_tokens<std::int32_t>(data_->texts[idx(text)], "token_ids", row);
}

std::vector<std::uint8_t> TokenSplit::flags(Size row, Size text) const {
  require_row(row);
  require_text(text);
  return read_tokens<std::uint8_t>(data_->texts[idx(text)], "flags", row);
}

std::vector<std::string> TokenSplit::tokens(Size row, Size text) const {
  const std::vector<std::int32_t>& known = data_->store->vocabulary_ids;
  std::vector<std::string> tokens;
  for (const std::int32_t id : token_ids(row, text)) {
    const auto found = std::lower_bound(known.begin(), known.end(), id);
    const bool has = found != known.end() && *found == id;
    tokens.push_back(has ? data_->store->vocabulary[idx(found - known.begin())] : "?");
  }
  return tokens;
}

std::string TokenSplit::text(Size row, Size text) const {
  require_row(row);
  require_text(text);
  const h5::Group& group = data_->texts[idx(text)].group;
  return group.has("text") ? group.dataset("text").read<std::string>({row}, {1}).front() : "";
}

bool TokenSplit::truncated(Size row, Size text) const {
  require_row(row);
  require_text(text);
  const h5::Group& group = data_->texts[idx(text)].group;
  return group.has("truncated") && group.dataset("truncated").read<std::uint8_t>({row}, {1}).front() != 0;
}

void TokenSplit::require_row(Size row) const {
  if (row >= 0 && row < rows()) return;
  throw ValueError(fmt::format("{}:/{}: row {}; expected 0 to {}", data_->store->shared->path.string(),
                               name(), row, rows() - 1));
}

void TokenSplit::require_text(Size text) const {
  if (text >= 0 && text < num_texts()) return;
  throw ValueError(fmt::format("{}:/{}: text {}; expected 0 to {}", data_->store->shared->path.string(),
                               name(), text, num_texts() - 1));
}

TokenStore TokenStore::open(const std::filesystem::path& path, const StoreOptions& options) {
  return TokenStore(detail::open_store(path, options));
}

const StoreInfo& TokenStore::info() const {
  return file_->shared->info;
}

const std::filesystem::path& TokenStore::path() const {
  return file_->shared->path;
}

std::vector<std::string> TokenStore::split_names() const {
  std::vector<std::string> names;
  for (const auto& [name, split] : file_->splits) names.push_back(name);
  return names;
}

bool TokenStore::has_split(const std::string& name) const {
  return file_->splits.contains(name);
}

TokenSplit TokenStore::split(const std::string& name) const {
  const auto found = file_->splits.find(name);
  if (found == file_->splits.end()) {
    throw ValueError(
        fmt::format("{}: no split '{}'{}", path().string(), name, suggestion(name, split_names())));
  }
  return TokenSplit(std::shared_ptr<const detail::SplitData>(file_, found->second.get()));
}

}  // namespace TARN_PRECISION
}  // namespace tarn
