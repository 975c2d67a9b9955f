#include "tarn/core/segments.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

Segments::Segments() : offsets_(std::make_shared<const std::vector<Size>>(1, Size{0})) {}

Segments::Segments(std::vector<Size> offsets) {
  if (offsets.empty() || offsets.front() != 0) {
    throw ShapeError(
        fmt::format("offsets: {}; expected B+1 numbers that start at 0",
                    offsets.empty() ? "none given" : fmt::format("first is {}", offsets.front())));
  }
  for (std::size_t b = 1; b < offsets.size(); ++b) {
    if (offsets[b] < offsets[b - 1]) {
      throw ShapeError(fmt::format("offsets: entry {} is {} after {}; expected numbers that never descend", b,
                                   offsets[b], offsets[b - 1]));
    }
  }
  offsets_ = std::make_shared<const std::vector<Size>>(std::move(offsets));
}

Segments Segments::uniform(Size num_sets, Size rows_each) {
  std::vector<Size> offsets(static_cast<std::size_t>(num_sets + 1));
  for (Size b = 0; b <= num_sets; ++b) offsets[idx(b)] = b * rows_each;
  return Segments(std::move(offsets));
}

Size Segments::owner(Size row) const {
  return std::upper_bound(offsets_->begin(), offsets_->end(), row) - offsets_->begin() - 1;
}

void Segments::require_cover(std::string_view where, Size rows) const {
  if (num_rows() == rows) return;
  throw ShapeError(fmt::format("{}: x has {} rows but sets cover {}; expected offsets to end at {}", where,
                               rows, num_rows(), rows));
}

Segments SegmentsPool::make(std::span<const Size> sizes) {
  auto free =
      std::find_if(pool_.begin(), pool_.end(), [](const auto& held) { return held.use_count() == 1; });
  if (free == pool_.end()) free = pool_.insert(pool_.end(), std::make_shared<std::vector<Size>>());
  std::vector<Size>& offsets = **free;
  offsets.assign(1, 0);
  for (const Size size : sizes) {
    if (size < 0) throw ShapeError(fmt::format("segments: a set of {} rows; expected at least 0", size));
    offsets.push_back(offsets.back() + size);
  }
  return {Segments::Checked{}, *free};
}

}  // namespace tarn
