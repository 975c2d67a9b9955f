#include "tarn/core/parallel.hpp"

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <vector>

#if defined(__SANITIZE_THREAD__)
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#endif

namespace tarn {

namespace {

/// Set while a job of for_jobs runs on this thread: its inner loops run inline.
thread_local bool inside_job = false;

#if defined(__SANITIZE_THREAD__)
/// The thread sanitizer cannot see how oneTBB, which is built without it, orders its tasks. Under it plain
/// threads run the loops, which order nothing but their beginning and end: it judges what we share.
void parallel_indices(Size n, FunctionRef<void(Size)> f) {
  std::atomic<Size> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    try {
      for (Size i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) f(i);
    } catch (...) {
      next.store(n, std::memory_order_relaxed);
      const std::scoped_lock lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (Size t = 1; t < std::min<Size>(n, Threads::available()); ++t) others.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}
#else
void parallel_indices(Size n, FunctionRef<void(Size)> f) {
  tbb::parallel_for(
      tbb::blocked_range<Size>(0, n, 1),
      [&](const tbb::blocked_range<Size>& range) {
        for (Size i = range.begin(); i < range.end(); ++i) f(i);
      },
      tbb::simple_partitioner());
}
#endif

}  // namespace

struct Threads::Control {
  explicit Control(std::size_t count) : limit(tbb::global_control::max_allowed_parallelism, count) {}
  tbb::global_control limit;
};

Threads::Threads(int count)
    : control_(count > 0 ? std::make_unique<Control>(static_cast<std::size_t>(count)) : nullptr) {}
Threads::~Threads() = default;

int Threads::available() {
  const auto allowed = tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism);
  return std::min(static_cast<int>(allowed), tbb::this_task_arena::max_concurrency());
}

void for_blocks(Size n, Size grain, FunctionRef<void(Size, Size)> f) {
  const Size blocks = (n + grain - 1) / grain;
  const auto run = [&](Size block) { f(block * grain, std::min(n, (block + 1) * grain)); };
  if (blocks <= 1 || inside_job) {
    for (Size block = 0; block < blocks; ++block) run(block);
    return;
  }
  parallel_indices(blocks, run);
}

void for_segments(const Segments& sets, Size rows_per_block, FunctionRef<void(Size, Size)> f) {
  // A block is every set that starts inside the same multiple of rows_per_block: found by bisection, so
  // nothing is stored.
  const auto offsets = sets.offsets();
  const Size count = sets.count();
  const auto first_from = [&](Size row) {
    return std::lower_bound(offsets.begin(), offsets.begin() + count, row) - offsets.begin();
  };
  const Size blocks = sets.num_rows() / rows_per_block + 1;
  for_blocks(blocks, 1, [&](Size block, Size) {
    const Size first = first_from(block * rows_per_block);
    const Size last = block + 1 == blocks ? count : first_from((block + 1) * rows_per_block);
    if (first < last) f(first, last);
  });
}

void for_jobs(Size n, FunctionRef<void(Size)> f) {
  if (inside_job) {  // on other threads it would be cut short, without a word, where another job throws
    for (Size job = 0; job < n; ++job) f(job);
    return;
  }
  parallel_indices(n, [&](Size job) {
    const bool outer = inside_job;
    inside_job = true;
    try {
      f(job);
    } catch (...) {
      inside_job = outer;
      throw;
    }
    inside_job = outer;
  });
}

double sum_blocks(Size n, Size grain, FunctionRef<double(Size, Size)> map) {
  const Size blocks = (n + grain - 1) / grain;
  if (blocks <= 1) return n > 0 ? map(0, n) : 0.0;
  std::vector<double> parts(static_cast<std::size_t>(blocks));
  for_blocks(n, grain,
             [&](Size begin, Size end) { parts[static_cast<std::size_t>(begin / grain)] = map(begin, end); });
  double total = 0;
  for (const double part : parts) total += part;
  return total;
}

}  // namespace tarn
