#pragma once

#include "tarn/core/h5.hpp"
#include "tarn/datasets/token_store.hpp"

#include <atomic>
#include <map>
#include <mutex>

/// Inside of the token store; included by its sources only.
namespace tarn::detail {

/// A whole file mapped into memory.
class FileMap {
 public:
  explicit FileMap(const std::filesystem::path& path);
  ~FileMap();
  FileMap(const FileMap&) = delete;
  FileMap& operator=(const FileMap&) = delete;
  [[nodiscard]] const std::byte* data() const { return data_; }
  [[nodiscard]] Size size() const { return size_; }

 private:
  const std::byte* data_ = nullptr;
  Size size_ = 0;
};

/// An open descriptor for reads by position.
class FileReader {
 public:
  explicit FileReader(const std::filesystem::path& path);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  void read(Size offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int descriptor_;
};

/// What all parts of an open store share.
struct StoreShared {
  std::filesystem::path path;
  StoreOptions options;
  StoreInfo info;
  std::unique_ptr<FileMap> map;        ///< if any `hidden` is contiguous
  std::unique_ptr<FileReader> reader;  ///< if io is pread
  /// Takes part of the cache; false if it does not fit any more.
  [[nodiscard]] bool reserve(Size bytes) const;
  mutable std::atomic<Size> cached_bytes{0};
};

/// One `hidden` data set [T, S, D] and the ways to its rows.
class TokenSource {
 public:
  TokenSource(std::shared_ptr<const StoreShared> shared, h5::Dataset hidden);

  /// Rows of `stride` bytes in stored type and native order.
  struct Block {
    const std::byte* data;
    Size stride;
  };
  /// Stored layer s of tokens begin .. end-1. Lies in `buffer`, in the cache or in the map.
  [[nodiscard]] Block fetch(Size layer, Size begin, Size end, std::vector<std::byte>& buffer) const;
  [[nodiscard]] bool mapped() const { return mapped_ != nullptr; }
  [[nodiscard]] std::string where() const { return hidden_.where(); }
  /// Bytes of one token in one layer.
  [[nodiscard]] Size row_bytes() const { return row_bytes_; }
  [[nodiscard]] h5::ChunkCache chunk_cache() const { return hidden_.chunk_cache(); }
  /// Keeps these layers in memory from now on if all of them fit the cache.
  void cache(std::span<const Size> layers) const;

 private:
  void read_rows(Size layer, Size begin, Size end, std::byte* out) const;
  void read_chunks(Size layer, Size begin, Size end, std::byte* out) const;
  [[nodiscard]] const std::vector<Size>& chunk_places(Size layer) const;

  std::shared_ptr<const StoreShared> shared_;
  h5::Dataset hidden_;
  Size num_tokens_;
  Size num_layers_;
  Size row_bytes_;
  h5::Type memory_;
  std::vector<Size> chunk_;
  const std::byte* mapped_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::mutex places_mutex_;  ///< its own: `cache` reads rows while it holds the other
  mutable std::map<Size, std::vector<std::byte>> cached_;  ///< by layer
  mutable std::map<Size, std::vector<Size>> places_;       ///< by layer: where each chunk lies, -1 nowhere
};

/// One text (`a`, `b`, ...) of a split.
struct TextData {
  h5::Group group;
  std::vector<Size> offsets;  ///< rows+1
  std::unique_ptr<TokenSource> source;
};

struct SplitData {
  const StoreFile* store = nullptr;  ///< the owner
  std::string name;
  Size rows = 0;
  bool complete = false;
  std::vector<double> labels;
  std::vector<std::int64_t> ids;
  std::vector<TextData> texts;
};

struct StoreFile {
  std::shared_ptr<StoreShared> shared;
  h5::File file;
  std::map<std::string, std::unique_ptr<SplitData>> splits;
  std::vector<std::int32_t> vocabulary_ids;
  std::vector<std::string> vocabulary;
};

/// "a", "b", ...
[[nodiscard]] inline std::string text_name(Size text) {
  return std::string(1, static_cast<char>('a' + text));
}

/// Opens the file and checks every rule that attributes, offsets and labels show.
[[nodiscard]] std::shared_ptr<const StoreFile> open_store(const std::filesystem::path& path,
                                                          const StoreOptions& options);

/// Positions among the stored layers that a selection reads. Throws ValueError, listing the layers, for one
/// that is not stored.
[[nodiscard]] std::vector<Size> selected_layers(const LayerSelection& selection, const StoreShared& store);

/// The type in memory of states as they are stored.
[[nodiscard]] h5::Type stored_type(StateType type);
/// HDF5 cache for a data set with chunks of this size.
[[nodiscard]] h5::ChunkCache chunk_cache(const StoreOptions& options, Size chunk_bytes);

}  // namespace tarn::detail
