#include "tarn/core/memory.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tarn {

namespace {
constexpr std::size_t small_alignment = 64;
constexpr std::size_t huge_page = std::size_t{1} << 21U;
}  // namespace

void* allocate_memory(std::size_t bytes) {
  const std::size_t alignment = bytes >= 2 * huge_page ? huge_page : small_alignment;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* const memory = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  // Advice: where the system knows no huge pages nothing changes.
  if (alignment == huge_page) static_cast<void>(madvise(memory, rounded, MADV_HUGEPAGE));
#endif
  return memory;
}

void free_memory(void* memory) noexcept {
  std::free(memory);
}

}  // namespace tarn
