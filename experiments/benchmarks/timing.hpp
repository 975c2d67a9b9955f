#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

/// What the files of benchmarks share.
namespace tarn {

using State = benchmark::State;

struct BenchmarkEntry {
  std::string name;
  std::function<void(State&)> run;
};

/// Times `work` once per iteration and returns the mean seconds of one.
template <class Work>
double timed(State& state, Work work) {
  double total = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    state.SetIterationTime(seconds);
    total += seconds;
  }
  return total / static_cast<double>(std::max<benchmark::IterationCount>(state.iterations(), 1));
}

}  // namespace tarn
