#pragma once

#include "tarn/experiments/benchmarks/timing.hpp"

#include <vector>

namespace tarn {

/// graphs/DATASET/READOUT: a training epoch of GIN (five layers of 64, batches of 32) on one thread, its
/// median in the counter s/epoch; graphs/DATASET/READOUT/gin-cv: ten folds side by side on all threads, each
/// epoch tested, a few epochs of each, as the seconds of a whole run in the counter s/run. Sets: graphs-demo
/// (generated), MUTAG, PROTEINS and IMDB-BINARY, which are looked for as `tarn run` does.
///
/// graphs/read/DATASET: a TU set from its zip or folder. graphs/aggregate/gin and gcn: sums over neighbours
/// at 64 channels, bytes that must move per second beside a copy of as many.
[[nodiscard]] std::vector<BenchmarkEntry> graph_benchmarks();

}  // namespace tarn
