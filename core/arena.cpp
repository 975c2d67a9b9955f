#include "tarn/core/arena.hpp"

#include <algorithm>

namespace tarn {

namespace {
constexpr std::size_t smallest_block = std::size_t{1} << 20U;
}  // namespace

void Arena::add_block(std::size_t at_least) {
  const std::size_t last = blocks_.empty() ? 0 : blocks_.back().size;
  const std::size_t size = std::max({at_least, smallest_block, last * 2});
  blocks_.push_back(
      {std::unique_ptr<std::byte[], FreeMemory>(static_cast<std::byte*>(allocate_memory(size))), size});
  used_in_last_ = 0;
  ++system_allocations_;
}

void* Arena::allocate(std::size_t bytes) {
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + 63) / 64 * 64;
  if (blocks_.empty() || used_in_last_ + rounded > blocks_.back().size) add_block(rounded);
  std::byte* p = blocks_.back().memory.get() + used_in_last_;
  used_in_last_ += rounded;
  used_ += rounded;
  peak_ = std::max(peak_, used_);
  return p;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    // Several blocks become one that holds the largest step so far.
    blocks_.clear();
    add_block(peak_ + peak_ / 8);
  }
  used_in_last_ = 0;
  used_ = 0;
}

}  // namespace tarn
