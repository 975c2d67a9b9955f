#pragma once

#include <string>
#include <vector>

namespace tarn {

struct BenchmarkOptions {
  std::vector<std::string> names;  ///< parts of names; empty: all
  std::string json;                ///< also write Google Benchmark's JSON here
  std::string store;               ///< token store for stress/epoch; empty: one made in memory
  std::string split = "train";
};

/// Runs the project's benchmarks and prints time, rows per second, operations per second, share of the
/// product rate measured in the same run, and peak bytes of the arena. Throws ConfigError, listing the names,
/// if no benchmark holds one of `names`.
void run_benchmarks(const BenchmarkOptions& options);

}  // namespace tarn
