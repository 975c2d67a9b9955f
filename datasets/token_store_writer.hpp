#pragma once

#include "tarn/core/view.hpp"
#include "tarn/datasets/token_store.hpp"

#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tarn {
inline namespace TARN_PRECISION {

/// One text of a row, as it is written.
struct TokenText {
  ConstMatrixView states;                   ///< [n, S * D]: per token, all stored layers one after another
  std::span<const std::int32_t> token_ids;  ///< [n], or none
  std::span<const std::uint8_t> flags;      ///< [n], or none
  std::string text;
  bool truncated = false;
};

/// Writes a token store row by row with little memory. It appears under its name, whole, when `finish`
/// returns; until then, and after any error, PATH is what it was.
class TokenStoreWriter {
 public:
  TokenStoreWriter(const std::filesystem::path& path, const StoreInfo& info);
  ~TokenStoreWriter();
  TokenStoreWriter(const TokenStoreWriter&) = delete;
  TokenStoreWriter& operator=(const TokenStoreWriter&) = delete;

  /// Completes the split before and begins another.
  void begin_split(const std::string& name);
  /// A row of `num_texts` texts. The label counts unless label_type is none. Throws ShapeError for a text of
  /// other width and DataError, with row, token and channel, for a state that is not finite or too large for
  /// the store's type.
  void append(std::span<const TokenText> texts, double label, std::int64_t id);
  /// The strings of the vocabulary's ids, which ascend.
  void set_vocabulary(std::span<const std::int32_t> ids, std::span<const std::string> tokens);
  /// Completes the last split, flushes, and gives the file its name. Throws IoError.
  void finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
