#include "tarn/datasets/token_batches.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <thread>

namespace tarn {

namespace {

constexpr Size run_rows = 256;
constexpr Size window_rows = 4096;

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

void shuffle_rows(std::span<Size> rows, const Rng& rng) {
  const std::vector<Size> before(rows.begin(), rows.end());
  const std::vector<Size> order = permutation(static_cast<Size>(rows.size()), rng);
  for (std::size_t i = 0; i < order.size(); ++i) rows[i] = before[idx(order[i])];
}

/// Runs of consecutive rows in random order.
std::vector<Size> shuffle_runs(std::span<const Size> rows, const Rng& rng) {
  const auto n = static_cast<Size>(rows.size());
  std::vector<Size> shuffled;
  shuffled.reserve(rows.size());
  for (const Size run : permutation((n + run_rows - 1) / run_rows, rng)) {
    const Size begin = run * run_rows;
    const auto part = rows.subspan(idx(begin), idx(std::min(run_rows, n - begin)));
    shuffled.insert(shuffled.end(), part.begin(), part.end());
  }
  return shuffled;
}

}  // namespace

std::vector<Size> epoch_order(std::span<const Size> rows, Shuffle shuffle, std::uint64_t seed, Size epoch) {
  const Rng rng = Rng(seed).split("epoch-order").split(static_cast<std::uint64_t>(epoch));
  std::vector<Size> order(rows.begin(), rows.end());
  if (shuffle == Shuffle::full) shuffle_rows(order, rng);
  if (shuffle != Shuffle::window) return order;
  order = shuffle_runs(rows, rng.split("runs"));
  const auto n = static_cast<Size>(order.size());
  for (Size begin = 0; begin < n; begin += window_rows) {
    shuffle_rows(std::span(order).subspan(idx(begin), idx(std::min(window_rows, n - begin))),
                 rng.split(static_cast<std::uint64_t>(begin / window_rows)));
  }
  return order;
}

inline namespace TARN_PRECISION {

class BatchStream::Impl {
 public:
  Impl(TokenSplit split, BatchOptions options) : split_(std::move(split)), options_(std::move(options)) {
    require("batch_size", options_.batch_size, 1);
    require("prefetch", options_.prefetch, 1);
    require("first_batch", options_.first_batch, 0);
    if (options_.rows.empty()) {
      options_.rows.resize(idx(split_.rows()));
      std::iota(options_.rows.begin(), options_.rows.end(), Size{0});
    }
    Shuffle shuffle = options_.shuffle;
    if (shuffle == Shuffle::automatic) {
      shuffle = split_.reads_at_random(options_.layers) ? Shuffle::full : Shuffle::window;
    }
    order_ = epoch_order(options_.rows, shuffle, options_.seed, options_.epoch);
    for (const Size row : order_) static_cast<void>(split_.id(row));  // a row out of range throws here
    thread_ = std::jthread([this](const std::stop_token& stop) { read_ahead(stop); });
  }

  [[nodiscard]] Size num_batches() const {
    return (static_cast<Size>(order_.size()) + options_.batch_size - 1) / options_.batch_size;
  }

  std::optional<StoreBatch> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this]() { return !ready_.empty() || done_; });
    if (ready_.empty()) {
      if (error_) std::rethrow_exception(error_);
      return std::nullopt;
    }
    StoreBatch batch = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return batch;
  }

 private:
  static void require(std::string_view name, Size value, Size least) {
    if (value >= least) return;
    throw ValueError(fmt::format("{}: got {}; expected a whole number of at least {}", name, value, least));
  }

  void read_ahead(const std::stop_token& stop) {
    try {
      for (Size b = options_.first_batch; b < num_batches() && wait_for_room(stop); ++b) {
        StoreBatch batch = read(b);
        const std::scoped_lock lock(mutex_);
        ready_.push_back(std::move(batch));
        changed_.notify_all();
      }
    } catch (...) {
      error_ = std::current_exception();  // read under the lock, after done_ is set under it
    }
    const std::scoped_lock lock(mutex_);
    done_ = true;
    changed_.notify_all();
  }

  /// Waits until another batch may be read; false if nobody wants it any more.
  bool wait_for_room(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    return changed_.wait(lock, stop,
                         [this]() { return static_cast<Size>(ready_.size()) < options_.prefetch; });
  }

  [[nodiscard]] StoreBatch read(Size index) const {
    const Size begin = index * options_.batch_size;
    const Size count = std::min(options_.batch_size, static_cast<Size>(order_.size()) - begin);
    const std::span<const Size> rows = std::span(order_).subspan(idx(begin), idx(count));
    StoreBatch batch;
    batch.rows.assign(rows.begin(), rows.end());
    for (const Size row : rows) {
      batch.labels.push_back(split_.label(row));
      batch.ids.push_back(split_.id(row));
    }
    for (Size text = 0; text < split_.num_texts(); ++text) {
      batch.texts.push_back(split_.read(rows, text, options_.layers));
    }
    return batch;
  }

  TokenSplit split_;
  BatchOptions options_;
  std::vector<Size> order_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<StoreBatch> ready_;
  bool done_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  ///< last: ends before what it uses
};

BatchStream::BatchStream(TokenSplit split, BatchOptions options)
    : impl_(std::make_unique<Impl>(std::move(split), std::move(options))) {}
BatchStream::~BatchStream() = default;
BatchStream::BatchStream(BatchStream&&) noexcept = default;
BatchStream& BatchStream::operator=(BatchStream&&) noexcept = default;

Size BatchStream::num_batches() const {
  return impl_->num_batches();
}

std::optional<StoreBatch> BatchStream::next() {
  return impl_->next();
}

}  // namespace TARN_PRECISION
}  // namespace tarn
