#include "tarn/experiments/texts.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace tarn {

std::vector<Size> first_rows(Size count) {
  std::vector<Size> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), Size{0});
  return rows;
}

inline namespace TARN_PRECISION {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

bool consecutive(std::span<const Size> rows) {
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i] != rows[i - 1] + 1) return false;
  }
  return true;
}

/// The texts of a batch copied one after another into a buffer that grows to the largest batch.
class Gatherer {
 public:
  explicit Gatherer(const MemoryTexts::Side& side) : side_(side) {}

  void gather(std::span<const Size> rows, ConstMatrixView& x, Segments& sets) {
    offsets_.assign(1, 0);
    for (const Size row : rows) offsets_.push_back(offsets_.back() + side_.sets.size(row));
    const auto last = sets.offsets();
    if (!std::equal(offsets_.begin(), offsets_.end(), last.begin(), last.end())) sets = Segments(offsets_);
    if (consecutive(rows)) {
      x = side_.x.row_block(side_.sets.rows(rows.front()).begin, side_.sets.rows(rows.back()).end);
      return;
    }
    if (buffer_.shape().rows() < offsets_.back()) buffer_ = Tensor({offsets_.back() * 5 / 4, side_.x.cols});
    const MatrixView into = buffer_.matrix().row_block(0, offsets_.back());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Rows from = side_.sets.rows(rows[i]);
      for (Size r = from.begin; r < from.end; ++r) {
        std::copy_n(side_.x.row(r), side_.x.cols, into.row(offsets_[i] + r - from.begin));
      }
    }
    x = into;
  }

 private:
  const MemoryTexts::Side& side_;
  std::vector<Size> offsets_;
  Tensor buffer_;
};

}  // namespace

MemoryTexts::MemoryTexts(std::vector<Side> sides, std::vector<double> labels)
    : sides_(std::move(sides)), labels_(std::move(labels)) {
  for (const Side& side : sides_) {
    side.sets.require_cover("texts", side.x.rows);
    if (side.sets.count() != rows()) {
      throw ShapeError(
          fmt::format("texts: {} sets for {} labels; expected one per text", side.sets.count(), rows()));
    }
  }
}

void MemoryTexts::for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const {
  const Shuffle shuffle = plan.shuffle == Shuffle::automatic ? Shuffle::full : plan.shuffle;
  const std::vector<Size> order = epoch_order(plan.rows, shuffle, plan.seed, plan.epoch);
  std::vector<Gatherer> gatherers(sides_.begin(), sides_.end());
  TextBatch batch;
  for (std::size_t begin = 0; begin < order.size(); begin += idx(plan.batch)) {
    batch.rows = std::span(order).subspan(begin, std::min(idx(plan.batch), order.size() - begin));
    for (std::size_t s = 0; s < sides_.size(); ++s) {
      gatherers[s].gather(batch.rows, batch.x[s], batch.sets[s]);
    }
    f(batch);
  }
}

StoreTexts::StoreTexts(TokenSplit split, LayerSelection layers)
    : split_(std::move(split)), layers_(std::move(layers)) {
  if (layers_.kind() == LayerSelection::Kind::all && split_.layers().size() > 1) {
    throw ValueError(fmt::format("layers: got all {} of split '{}'; expected last, mean or the number of one",
                                 split_.layers().size(), split_.name()));
  }
}

void StoreTexts::for_batches(const BatchPlan& plan, FunctionRef<void(const TextBatch&)> f) const {
  const Shuffle shuffle = plan.shuffle == Shuffle::full ? Shuffle::automatic : plan.shuffle;
  BatchStream stream(split_, {.batch_size = plan.batch,
                              .layers = layers_,
                              .shuffle = shuffle,
                              .seed = plan.seed,
                              .epoch = plan.epoch,
                              .rows = {plan.rows.begin(), plan.rows.end()}});
  while (const auto read = stream.next()) {
    TextBatch batch{.rows = read->rows, .x = {}, .sets = {}};
    for (std::size_t s = 0; s < read->texts.size(); ++s) {
      batch.x[s] = read->texts[s].x.matrix();
      batch.sets[s] = read->texts[s].sets;
    }
    f(batch);
  }
}

}  // namespace TARN_PRECISION
}  // namespace tarn
