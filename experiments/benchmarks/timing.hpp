#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <utility>

/// What the files of benchmarks share.
namespace tarn {

using State = benchmark::State;

struct BenchmarkEntry {
  std::string name;
  std::function<void(State&)> run;
  std::string unavailable = {};  ///< why it cannot run here; "" if it can
};

/// Seconds of the iterations of a benchmark.
struct Timing {
  double mean = 0;
  double fastest = 0;  ///< what is least disturbed by other programs
};

/// Times `work` once per iteration.
template <class Work>
Timing time_iterations(State& state, Work work) {
  Timing timing{0, INFINITY};
  double total = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.SetIterationTime(seconds);
    total += seconds;
    timing.fastest = std::min(timing.fastest, seconds);
  }
  timing.mean = total / static_cast<double>(std::max<benchmark::IterationCount>(state.iterations(), 1));
  return timing;
}

/// The same; the mean alone.
template <class Work>
double timed(State& state, Work work) {
  return time_iterations(state, std::move(work)).mean;
}

}  // namespace tarn
