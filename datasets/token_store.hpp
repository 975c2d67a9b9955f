#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tensor.hpp"
#include "tarn/datasets/half.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Hidden states of a frozen model in one HDF5 file: sets of tokens with labels, in splits. Read by ranges,
/// so that a file of any size needs little memory.
namespace tarn {

enum class LabelType { none, classes, real };
/// "none", "class", "real", as the file says it.
[[nodiscard]] std::string_view label_type_name(LabelType type);

/// What a store says of itself: its root attributes.
struct StoreInfo {
  std::string model;
  std::string revision;
  std::string exporter;
  Size hidden_size = 0;         ///< D
  std::vector<Size> layers{0};  ///< S stored layers of the model, ascending; 0 is the embedding output
  StateType dtype = StateType::f16;
  bool causal = false;
  Size max_length = 0;
  bool special_tokens = false;
  std::string prefix;
  std::string task;
  LabelType label_type = LabelType::none;
  Size num_classes = 0;
  std::vector<std::string> class_names;
  Size num_texts = 1;  ///< 2 for pairs
  std::string created;
  std::string config = "{}";
};

/// How states are fetched. `automatic`: mapped if contiguous, else in memory if the split fits the cache,
/// else through HDF5. `pread` finds the chunks of uncompressed data itself; same bits.
enum class StoreIo { automatic, hdf5, pread };

struct StoreOptions {
  Size cache_mb = 1024;  ///< states kept in memory, in their stored type, over all splits; 0 keeps none
  StoreIo io = StoreIo::automatic;
  bool check_finite = true;  ///< NaN and infinity are errors
  bool sequential = false;   ///< one pass in file order: fully read chunks leave HDF5's cache first
  /// Told once per split whose export was interrupted.
  std::function<void(const std::string&)> warn;
};

/// Which of the stored layers a batch holds.
class LayerSelection {
 public:
  enum class Kind { last, all, mean, one, mix };
  LayerSelection() = default;
  [[nodiscard]] static LayerSelection last() { return {}; }
  [[nodiscard]] static LayerSelection all() { return LayerSelection(Kind::all); }
  [[nodiscard]] static LayerSelection mean() { return LayerSelection(Kind::mean); }
  /// A layer by the model's number.
  [[nodiscard]] static LayerSelection one(Size layer);
  /// sum_s weights[s] * layer s, one weight per stored layer.
  [[nodiscard]] static LayerSelection mix(std::vector<double> weights);
  /// "last", "all", "mean" or a layer's number. Throws ValueError for anything else.
  [[nodiscard]] static LayerSelection parse(std::string_view text);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] Size layer() const { return layer_; }
  [[nodiscard]] const std::vector<double>& weights() const { return weights_; }

 private:
  explicit LayerSelection(Kind kind) : kind_(kind) {}
  Kind kind_ = Kind::last;
  Size layer_ = 0;
  std::vector<double> weights_;
};

namespace detail {
struct StoreFile;
struct SplitData;
}  // namespace detail

inline namespace TARN_PRECISION {

/// Token states of some texts, packed.
struct TokenBatch {
  Tensor x;       ///< [N, D], or [N, S, D] with all layers
  Segments sets;  ///< one set per text, in the order asked for
};

/// The rows of one split. A cheap handle; calls from several threads are safe.
class TokenSplit {
 public:
  [[nodiscard]] const std::string& name() const;
  /// Rows that are complete and readable.
  [[nodiscard]] Size rows() const;
  [[nodiscard]] Size dim() const;
  [[nodiscard]] const std::vector<Size>& layers() const;
  [[nodiscard]] Size num_texts() const;
  /// The exporter finished this split.
  [[nodiscard]] bool complete() const;

  [[nodiscard]] bool has_labels() const;
  /// Class number (-1 unlabelled) or real value (NaN unlabelled). Throws ValueError for a row out of range.
  [[nodiscard]] double label(Size row) const;
  /// Row number in the source data.
  [[nodiscard]] std::int64_t id(Size row) const;
  /// Tokens of a row; text 0 is `a`, 1 is `b`.
  [[nodiscard]] Size length(Size row, Size text = 0) const;
  /// Tokens of all rows.
  [[nodiscard]] Size num_tokens(Size text = 0) const;
  /// Bytes of the selected states of all texts as they are stored.
  [[nodiscard]] Size stored_bytes(const LayerSelection& layers) const;
  /// Those bytes fit the cache, or the states are mapped: any order of reading is quick.
  [[nodiscard]] bool reads_at_random(const LayerSelection& layers) const;

  /// States of the given rows as Real. Rows may come in any order and more than once.
  [[nodiscard]] TokenBatch read(std::span<const Size> rows, Size text = 0,
                                const LayerSelection& layers = {}) const;

  /// Vocabulary ids, -1 unknown; none if the store has none.
  [[nodiscard]] std::vector<std::int32_t> token_ids(Size row, Size text = 0) const;
  /// Bit 0 special token, bit 1 continues a word, bit 2 marked; none if the store has none.
  [[nodiscard]] std::vector<std::uint8_t> flags(Size row, Size text = 0) const;
  /// The tokens' strings from the vocabulary, "?" for unknown ones.
  [[nodiscard]] std::vector<std::string> tokens(Size row, Size text = 0) const;
  /// The source text; "" if the store has none.
  [[nodiscard]] std::string text(Size row, Size text = 0) const;
  /// The tokenizer cut this text.
  [[nodiscard]] bool truncated(Size row, Size text = 0) const;

 private:
  friend class TokenStore;
  explicit TokenSplit(std::shared_ptr<const detail::SplitData> data) : data_(std::move(data)) {}
  void require_row(Size row) const;
  void require_text(Size text) const;
  std::shared_ptr<const detail::SplitData> data_;
};

/// An open store. Opening reads attributes, offsets and labels and checks all rules that they show; states
/// are checked for NaN and infinity as they are read.
class TokenStore {
 public:
  /// Throws IoError if the file cannot be opened, DataError, naming the place, if it breaks a rule.
  [[nodiscard]] static TokenStore open(const std::filesystem::path& path, const StoreOptions& options = {});
  /// For a file that is open already.
  explicit TokenStore(std::shared_ptr<const detail::StoreFile> file) : file_(std::move(file)) {}

  [[nodiscard]] const StoreInfo& info() const;
  [[nodiscard]] const std::filesystem::path& path() const;
  /// In alphabetical order.
  [[nodiscard]] std::vector<std::string> split_names() const;
  [[nodiscard]] bool has_split(const std::string& name) const;
  /// Throws ValueError, listing the splits, for an unknown name.
  [[nodiscard]] TokenSplit split(const std::string& name) const;

 private:
  std::shared_ptr<const detail::StoreFile> file_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
