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

/// Runs the project's benchmarks and prints time, rows per second, operations or bytes per second, share of
/// the product or copy rate measured in the same run, and peak bytes of the arena. Benchmarks whose data is
/// nowhere are left out. Throws ConfigError, listing the names, if no benchmark holds one of `names`, and
/// IoError if the data of all of them is missing.
void run_benchmarks(const BenchmarkOptions& options);

}  // namespace tarn
