#include "tarn/core/ops/sum_over_tasks.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

/// Numbers in the partial sums that are held at a time, and the least number of tasks they serve.
constexpr Size numbers_at_once = Size{1} << 18;
constexpr Size least_tasks = 16;

void add_run(const double* from, Size size, double* to) {
  for (Size j = 0; j < size; ++j) to[j] += from[j];
}

}  // namespace

inline namespace TARN_PRECISION {

std::span<const double> sum_over_tasks(Tape& tape, const SegmentChunks& chunks, Size size,
                                       FunctionRef<void(const SegmentChunk&, double*)> f) {
  const auto total = tape.allocate_array<double>(size);
  std::fill(total.begin(), total.end(), 0.0);
  const Size at_once =
      std::min(chunks.num_tasks(), std::max(least_tasks, numbers_at_once / std::max<Size>(size, 1)));
  const auto partial = tape.allocate_array<double>(at_once * size);
  for (Size first = 0; first < chunks.num_tasks(); first += at_once) {
    const Size last = std::min(chunks.num_tasks(), first + at_once);
    std::fill(partial.begin(), partial.end(), 0.0);
    chunks.for_tasks(first, last, [&](const SegmentChunk& chunk) {
      f(chunk, partial.data() + (chunk.task - first) * size);
    });
    for_blocks(size, 4096, [&](Size begin, Size end) {
      for (Size k = 0; k < last - first; ++k)
        add_run(partial.data() + k * size + begin, end - begin, total.data() + begin);
    });
  }
  return total;
}

void sum_over_sets(Tape& tape, const SegmentChunks& chunks, Size size,
                   FunctionRef<void(const SegmentChunk&, double*)> f,
                   FunctionRef<void(Size, std::span<const double>)> use) {
  const auto width = static_cast<std::size_t>(size);
  const auto parts = tape.allocate_array<double>(chunks.num_parts() * size);
  std::fill(parts.begin(), parts.end(), 0.0);
  chunks.for_each([&](const SegmentChunk& chunk) {
    if (!chunk.whole()) return f(chunk, parts.data() + chunk.part * size);
    thread_local std::vector<double> own;
    own.assign(width, 0.0);
    f(chunk, own.data());
    use(chunk.set, own);
  });
  chunks.for_each_cut([&](Size set, Rows of_set) {
    double* const total = parts.data() + of_set.begin * size;
    for (Size k = of_set.begin + 1; k < of_set.end; ++k) add_run(parts.data() + k * size, size, total);
    use(set, {total, width});
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
