#include "tarn/datasets/token_store_writer.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/token_source.hpp"
#include "tarn/datasets/token_store_schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace detail {

void write_info(h5::File& file, const StoreInfo& info) {
  file.set_attribute("format", "tarn-token-store");
  file.set_attribute<std::int32_t>("version", 1);
  file.set_attribute<std::int32_t>("minor", 0);
  file.set_attribute("model", info.model);
  file.set_attribute("revision", info.revision);
  file.set_attribute("exporter", info.exporter);
  file.set_attribute("hidden_size", info.hidden_size);
  file.set_attribute("num_layers", static_cast<Size>(info.layers.size()));
  file.set_attribute("layers", std::span<const Size>(info.layers));
  file.set_attribute("dtype", state_type_name(info.dtype));
  file.set_attribute<std::int8_t>("causal", info.causal ? 1 : 0);
  file.set_attribute("max_length", info.max_length);
  file.set_attribute<std::int8_t>("special_tokens", info.special_tokens ? 1 : 0);
  file.set_attribute("prefix", info.prefix);
  file.set_attribute("task", info.task);
  file.set_attribute("label_type", label_type_name(info.label_type));
  file.set_attribute("num_classes", info.num_classes);
  if (!info.class_names.empty()) {
    file.set_attribute("class_names", std::span<const std::string>(info.class_names));
  }
  file.set_attribute("num_texts", info.num_texts);
  file.set_attribute("created", info.created);
  file.set_attribute("config", info.config);
}

Size chunk_tokens(Size hidden_size, StateType type) {
  return std::clamp((Size{1} << 18) / (hidden_size * state_bytes(type)), Size{16}, Size{4096});
}

}  // namespace detail

inline namespace TARN_PRECISION {

namespace {

constexpr Size flush_bytes = Size{4} << 20;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// A one-dimensional data set that grows by what is pending.
template <class T>
struct Column {
  h5::Dataset data;
  Size written = 0;
  std::vector<T> pending;

  void create(h5::Group& group, const std::string& name, Size chunk, int deflate = 0) {
    h5::Type type = h5::Type::text;
    if constexpr (!std::is_same_v<T, std::string>) type = h5::TypeOf<T>::value;
    data = group.create_dataset(name, type, Shape{0}, {.chunk = {chunk}, .deflate = deflate});
  }
  void flush() {
    const auto count = static_cast<Size>(pending.size());
    data.resize(written + count);
    data.write({written}, {count}, std::span<const T>(pending));
    written += count;
    pending.clear();
  }
};

/// Removes the unfinished file, also where the rest of the writer never came to be.
class Unfinished {
 public:
  explicit Unfinished(std::filesystem::path path) : path_(std::move(path)) {}
  ~Unfinished() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);  // after `finish` it has another name
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

 private:
  std::filesystem::path path_;
};

struct TextColumns {
  h5::Dataset hidden;
  Size tokens_written = 0;
  Size tokens_pending = 0;
  std::vector<std::byte> states;
  Column<std::int64_t> offsets;
  Column<std::int32_t> token_ids;
  Column<std::uint8_t> flags;
  Column<std::string> text;
  Column<std::uint8_t> truncated;
};

}  // namespace

class TokenStoreWriter::Impl {
 public:
  Impl(const std::filesystem::path& path, const StoreInfo& info)
      : path_(path),
        unfinished_(temporary_path(path)),
        info_(info),
        file_(h5::File::create(temporary_path(path), path.string())) {
    detail::write_info(file_, info);
  }
  void begin_split(const std::string& name) {
    end_split();
    group_ = file_.create_group(name);
    in_split_ = true;
    ids_ = {};
    ids_.create(group_, "ids", 16384);
    labels_ = {};
    class_labels_ = {};
    if (info_.label_type == LabelType::classes) class_labels_.create(group_, "labels", 16384);
    if (info_.label_type == LabelType::real) labels_.create(group_, "labels", 16384);
    texts_.clear();
    for (Size t = 0; t < info_.num_texts; ++t) texts_.push_back(create_text(detail::text_name(t)));
  }

  void append(std::span<const TokenText> texts, double label, std::int64_t id) {
    if (!in_split_)
      throw ValueError(
          fmt::format("{}: a row outside of any split; expected begin_split first", path_.string()));
    if (static_cast<Size>(texts.size()) != info_.num_texts) {
      throw ShapeError(fmt::format("{}: row {} has {} texts; expected {}", group_.where(), rows(),
                                   texts.size(), info_.num_texts));
    }
    require_label(label);
    for (std::size_t t = 0; t < texts.size(); ++t) require_text(texts_[t], texts[t]);
    for (std::size_t t = 0; t < texts.size(); ++t) append_text(texts_[t], texts[t]);
    ids_.pending.push_back(id);
    if (info_.label_type == LabelType::classes)
      class_labels_.pending.push_back(static_cast<std::int64_t>(label));
    if (info_.label_type == LabelType::real) labels_.pending.push_back(label);
    Size bytes = 0;
    for (const TextColumns& text : texts_) bytes += static_cast<Size>(text.states.size());
    if (bytes >= flush_bytes || ids_.pending.size() >= 16384) flush();
  }

  void set_vocabulary(std::span<const std::int32_t> ids, std::span<const std::string> tokens) {
    file_.write<std::int32_t>("vocabulary/ids", Shape{static_cast<Size>(ids.size())}, ids);
    file_.write("vocabulary/tokens", Shape{static_cast<Size>(tokens.size())}, tokens);
  }

  void finish() {
    end_split();
    file_.close();
    commit_file(temporary_path(path_), path_);
  }

 private:
  [[nodiscard]] Size rows() const { return ids_.written + static_cast<Size>(ids_.pending.size()); }

  TextColumns create_text(const std::string& name) {
    TextColumns text;
    h5::Group group = group_.create_group(name);
    const Size dim = info_.hidden_size;
    const Shape none{0, static_cast<Size>(info_.layers.size()), dim};
    text.hidden = group.create_dataset("hidden", detail::stored_type(info_.dtype), none,
                                       {.chunk = {detail::chunk_tokens(dim, info_.dtype), 1, dim}});
    if (info_.dtype == StateType::bf16) text.hidden.set_attribute("encoding", "bfloat16");
    text.offsets.create(group, "offsets", 16384);
    text.offsets.pending.push_back(0);
    text.token_ids.create(group, "token_ids", 65536, 1);
    text.flags.create(group, "flags", 65536, 1);
    text.text.create(group, "text", 1024);
    text.truncated.create(group, "truncated", 16384);
    return text;
  }

  void require_label(double label) const {
    if (info_.label_type != LabelType::classes || label == -1) return;
    if (label >= 0 && label < static_cast<double>(info_.num_classes) && label == std::floor(label)) return;
    throw DataError(fmt::format("{}: row {}: label {}; expected a class in [0, {}), or -1 for none",
                                group_.where(), rows(), label, info_.num_classes));
  }

  void require_text(const TextColumns& columns, const TokenText& text) const {
    const Size width = static_cast<Size>(info_.layers.size()) * info_.hidden_size;
    const Size n = text.states.rows;
    const auto fits = [n](std::size_t size) { return size == 0 || static_cast<Size>(size) == n; };
    if ((n > 0 && text.states.cols != width) || !fits(text.token_ids.size()) || !fits(text.flags.size())) {
      throw ShapeError(
          fmt::format("{}: row {} has states [{}, {}], {} token ids and {} flags; expected states [n, {}] "
                      "and n of each or none",
                      columns.hidden.where(), rows(), n, text.states.cols, text.token_ids.size(),
                      text.flags.size(), width));
    }
    const double largest = largest_state(info_.dtype);
    for (Size i = 0; i < n; ++i) {
      for (Size j = 0; j < width; ++j) {
        const double value = text.states(i, j);
        if (std::abs(value) <= largest) continue;
        throw DataError(fmt::format("{}: row {}, token {}, channel {}: state is {}; expected {}",
                                    columns.hidden.where(), rows(), i, j, value,
                                    std::isfinite(value) ? fmt::format("at most {} in {}; use dtype bf16",
                                                                       largest, state_type_name(info_.dtype))
                                                         : std::string("finite numbers")));
      }
    }
  }

  void append_text(TextColumns& columns, const TokenText& text) {
    const Size n = text.states.rows;
    const Size row_bytes =
        static_cast<Size>(info_.layers.size()) * info_.hidden_size * state_bytes(info_.dtype);
    const std::size_t begin = columns.states.size();
    columns.states.resize(begin + idx(n * row_bytes));
    for (Size i = 0; i < n; ++i) {
      narrow_states(info_.dtype, text.states.row_span(i), columns.states.data() + begin + i * row_bytes);
    }
    columns.tokens_pending += n;
    columns.offsets.pending.push_back(columns.tokens_written + columns.tokens_pending);
    const auto add = [n](auto& column, auto values, auto otherwise) {
      if (values.empty()) column.pending.insert(column.pending.end(), idx(n), otherwise);
      column.pending.insert(column.pending.end(), values.begin(), values.end());
    };
    add(columns.token_ids, text.token_ids, std::int32_t{-1});
    add(columns.flags, text.flags, std::uint8_t{0});
    columns.text.pending.push_back(text.text);
    columns.truncated.pending.push_back(text.truncated ? 1 : 0);
  }

  void flush() {
    for (TextColumns& text : texts_) {
      const Size total = text.tokens_written + text.tokens_pending;
      text.hidden.resize(total);
      const auto num_layers = static_cast<Size>(info_.layers.size());
      text.hidden.write_block(detail::stored_type(info_.dtype), {text.tokens_written, 0, 0},
                              {text.tokens_pending, num_layers, info_.hidden_size}, text.states);
      text.tokens_written = total;
      text.tokens_pending = 0;
      text.states.clear();
      text.offsets.flush();
      text.token_ids.flush();
      text.flags.flush();
      text.text.flush();
      text.truncated.flush();
    }
    ids_.flush();
    if (info_.label_type == LabelType::classes) class_labels_.flush();
    if (info_.label_type == LabelType::real) labels_.flush();
  }

  void end_split() {
    if (!in_split_) return;
    flush();
    group_.set_attribute("rows", ids_.written);
    group_.set_attribute<std::int8_t>("complete", 1);
    in_split_ = false;
  }

  std::filesystem::path path_;
  Unfinished unfinished_;  ///< before the file: removed once that is closed
  StoreInfo info_;
  h5::File file_;
  h5::Group group_;
  bool in_split_ = false;
  Column<std::int64_t> ids_;
  Column<std::int64_t> class_labels_;
  Column<double> labels_;
  std::vector<TextColumns> texts_;
};

TokenStoreWriter::TokenStoreWriter(const std::filesystem::path& path, const StoreInfo& info)
    : impl_(std::make_unique<Impl>(path, info)) {}

TokenStoreWriter::~TokenStoreWriter() = default;

void TokenStoreWriter::begin_split(const std::string& name) {
  impl_->begin_split(name);
}

void TokenStoreWriter::append(std::span<const TokenText> texts, double label, std::int64_t id) {
  impl_->append(texts, label, id);
}

void TokenStoreWriter::set_vocabulary(std::span<const std::int32_t> ids,
                                      std::span<const std::string> tokens) {
  impl_->set_vocabulary(ids, tokens);
}

void TokenStoreWriter::finish() {
  impl_->finish();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
