#pragma once

#include "tarn/experiments/benchmarks/timing.hpp"

#include <vector>

namespace tarn {

/// mesh/graphs, mesh/forward, mesh/step, mesh/pool: milliseconds per mesh stand in the counter ms/mesh.
[[nodiscard]] std::vector<BenchmarkEntry> mesh_benchmarks();

}  // namespace tarn
