#pragma once

#include "tarn/datasets/token_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace tarn {

/// The order of an epoch. `automatic` is full where a split reads quickly in any order, window otherwise;
/// `window` shuffles runs of 256 consecutive rows, then the rows inside windows of 4096; `none` keeps the
/// order.
enum class Shuffle { automatic, none, full, window };

struct BatchOptions {
  Size batch_size = 32;
  LayerSelection layers;
  Shuffle shuffle = Shuffle::automatic;
  std::uint64_t seed = 0;
  Size epoch = 0;
  Size prefetch = 2;       ///< batches read ahead
  Size first_batch = 0;    ///< where to go on in this epoch
  std::vector<Size> rows;  ///< only these rows of the split; all if empty
};

/// The rows in the order of an epoch: a function of rows, shuffle, seed and epoch alone. `shuffle` is not
/// automatic here.
[[nodiscard]] std::vector<Size> epoch_order(std::span<const Size> rows, Shuffle shuffle, std::uint64_t seed,
                                            Size epoch);

inline namespace TARN_PRECISION {

/// Some rows of a split with all that training needs.
struct StoreBatch {
  std::vector<TokenBatch> texts;  ///< one, or two for pairs
  std::vector<Size> rows;
  std::vector<double> labels;  ///< NaN without labels
  std::vector<std::int64_t> ids;
};

/// One epoch over a split in batches that a thread of its own reads ahead:
///
///   BatchStream batches(store.split("train"), {.batch_size = 32, .seed = 1, .epoch = 5});
///   while (auto batch = batches.next()) { ... batch->texts[0].x ... }
///
/// Holds at most `prefetch` batches beside the one handed out. The last batch may be smaller.
class BatchStream {
 public:
  /// Throws ValueError for a batch size or prefetch below 1, or a row out of range.
  BatchStream(TokenSplit split, BatchOptions options);
  ~BatchStream();
  BatchStream(BatchStream&&) noexcept;
  BatchStream& operator=(BatchStream&&) noexcept;

  /// Batches of the whole epoch, those before `first_batch` included.
  [[nodiscard]] Size num_batches() const;
  /// The next batch, or nothing after the last. Passes on what reading threw.
  [[nodiscard]] std::optional<StoreBatch> next();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
