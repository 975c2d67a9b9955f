#pragma once

#include "tarn/core/memory.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace tarn {

/// Bump allocator that is kept from step to step: `reset` frees everything at once and keeps the memory, so a
/// steady state allocates nothing. Every piece starts on a 64-byte boundary. Not for several threads at once.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Uninitialised memory, valid until `reset`.
  [[nodiscard]] void* allocate(std::size_t bytes);
  void reset();

  /// Most bytes that were in use between two resets, and blocks asked of the system so far.
  [[nodiscard]] std::size_t peak_bytes() const { return peak_; }
  [[nodiscard]] std::size_t system_allocations() const { return system_allocations_; }

 private:
  struct Block {
    std::unique_ptr<std::byte[], FreeMemory> memory;
    std::size_t size = 0;
  };
  void add_block(std::size_t at_least);

  std::vector<Block> blocks_;
  std::size_t used_in_last_ = 0;
  std::size_t used_ = 0;
  std::size_t peak_ = 0;
  std::size_t system_allocations_ = 0;
};

}  // namespace tarn
