#include "tarn/core/parallel.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace tarn;

TEST_CASE("loops inside a job run on its thread, in order", "[core][parallel]") {
  const Threads threads(4);
  std::atomic<int> wrong = 0;
  for_jobs(8, [&](Size) {
    const auto own = std::this_thread::get_id();
    std::vector<Size> seen;
    const auto note = [&](Size i) {
      wrong += std::this_thread::get_id() == own ? 0 : 1;
      seen.push_back(i);
    };
    for_jobs(5, note);
    for_blocks(5, 1, [&](Size begin, Size) { note(begin); });
    wrong += seen == std::vector<Size>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4} ? 0 : 1;
  });
  CHECK(wrong == 0);
}

TEST_CASE("a job runs its loops to their end although another job throws", "[core][parallel]") {
  const Threads threads(2);
  for (int attempt = 0; attempt < 20; ++attempt) {
    std::atomic<bool> thrown = false;
    std::atomic<int> short_loops = 0, started = 0;
    CHECK_THROWS_AS(for_jobs(2,
                             [&](Size job) {
                               ++started;
                               if (job == 0) {
                                 thrown = true;
                                 throw std::runtime_error("stop");
                               }
                               while (!thrown) std::this_thread::yield();
                               std::vector<int> done(100, 0);
                               for_jobs(100, [&](Size i) { done[static_cast<std::size_t>(i)] = 1; });
                               short_loops += std::accumulate(done.begin(), done.end(), 0) == 100 ? 0 : 1;
                             }),
                    std::runtime_error);
    CHECK(short_loops == 0);
  }
}

TEST_CASE("blocks depend on their number and size alone", "[core][parallel]") {
  for (const int count : {1, 2, 3}) {
    const Threads threads(count);
    std::vector<std::atomic<int>> times(10);
    std::atomic<int> wrong = 0;
    for_blocks(10, 4, [&](Size begin, Size end) {
      wrong += begin % 4 == 0 && end == std::min<Size>(10, begin + 4) ? 0 : 1;
      for (Size i = begin; i < end; ++i) ++times[static_cast<std::size_t>(i)];
    });
    CHECK(wrong == 0);
    CHECK(std::all_of(times.begin(), times.end(), [](const auto& t) { return t == 1; }));
    CHECK(sum_blocks(10, 4, [](Size begin, Size end) { return static_cast<double>(end - begin); }) == 10);
    for_blocks(0, 4, [&](Size, Size) { ++wrong; });
    CHECK(sum_blocks(0, 4, [](Size, Size) { return 1.0; }) == 0);
    CHECK(wrong == 0);
  }
}
