#include "tarn/core/ops/segment_chunks.hpp"

#include <algorithm>

namespace tarn {

namespace {

/// Rows of one chunk, and rows in a task of whole sets. Constants: results depend on them.
constexpr Size chunk_rows = 1024;
constexpr Size block_rows = 512;

Size chunks_of(Size rows) {
  return (rows + chunk_rows - 1) / chunk_rows;
}

}  // namespace

SegmentChunks::SegmentChunks(Segments sets, RowChoice choice, Cut cut)
    : sets_(std::move(sets)),
      choice_(choice),
      longest_(cut == Cut::yes ? chunk_rows : std::numeric_limits<Size>::max()) {
  for (Size b = 0; b < sets_.count(); ++b) {
    const Size n = rows(b).size();
    if (n <= longest_) continue;
    cuts_.push_back({b, num_parts_});
    num_parts_ += chunks_of(n);
  }
  num_blocks_ = sets_.num_rows() / block_rows + 1;
}

Rows SegmentChunks::parts_of(std::size_t cut) const {
  const bool last = cut + 1 == cuts_.size();
  return {cuts_[cut].first_part, last ? num_parts_ : cuts_[cut + 1].first_part};
}

SegmentChunk SegmentChunks::part_chunk(Size part) const {
  const auto after = std::upper_bound(cuts_.begin(), cuts_.end(), part,
                                      [](Size p, const CutSet& cut) { return p < cut.first_part; });
  const CutSet& cut = *(after - 1);
  const Rows all = rows(cut.set);
  const Size begin = all.begin + (part - cut.first_part) * chunk_rows;
  return {part, cut.set, {begin, std::min(all.end, begin + chunk_rows)}, part, cut.first_part};
}

void SegmentChunks::for_tasks(Size first_task, Size last_task,
                              FunctionRef<void(const SegmentChunk&)> f) const {
  const auto offsets = sets_.offsets();
  const auto first_from = [&](Size row) {
    return std::lower_bound(offsets.begin(), offsets.begin() + sets_.count(), row) - offsets.begin();
  };
  // A block is every set that starts inside the same multiple of block_rows.
  const auto run_block = [&](Size task) {
    const Size block = task - num_parts_;
    const Size first = first_from(block * block_rows);
    const Size last = block + 1 == num_blocks_ ? sets_.count() : first_from((block + 1) * block_rows);
    for (Size b = first; b < last; ++b) {
      if (rows(b).size() <= longest_) f({task, b, rows(b)});
    }
  };
  for_blocks(last_task - first_task, 1, [&](Size k, Size) {
    const Size task = first_task + k;
    task < num_parts_ ? f(part_chunk(task)) : run_block(task);
  });
}

void SegmentChunks::for_each_cut(FunctionRef<void(Size, Rows)> f) const {
  for_blocks(static_cast<Size>(cuts_.size()), 1, [&](Size cut, Size) {
    f(cuts_[static_cast<std::size_t>(cut)].set, parts_of(static_cast<std::size_t>(cut)));
  });
}

}  // namespace tarn
