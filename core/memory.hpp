#pragma once

#include <cstddef>

namespace tarn {

/// Uninitialised memory that starts on a 64-byte boundary; throws std::bad_alloc. Large pieces start on a
/// huge page and ask the system for such pages, where the first touch costs a fraction of that of small ones.
[[nodiscard]] void* allocate_memory(std::size_t bytes);
/// Gives memory back; null is fine.
void free_memory(void* memory) noexcept;

/// Deleter for std::unique_ptr over memory from `allocate_memory`; for types without destructors.
struct FreeMemory {
  void operator()(void* memory) const noexcept { free_memory(memory); }
};

}  // namespace tarn
