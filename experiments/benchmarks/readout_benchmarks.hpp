#pragma once

#include "tarn/experiments/benchmarks/timing.hpp"

#include <vector>

namespace tarn {

/// readouts/NAME: forward and backward of every set readout that fits, on 262,144 rows of width 128 in 4,096
/// sets of log-normal sizes. Counters: forward ms; GB/s of the passes over x that the gradient needs at
/// least, beside a copy of as many bytes; extra MiB, the arena's peak beyond the gradient of x, the
/// result and its gradient, and that as a share of x. A few readouts come with the options of other
/// measurements: readouts/attentional/hidden, readouts/pma/eighth (the first eighth of the sets, which is all
/// that equilibrium gets).
[[nodiscard]] std::vector<BenchmarkEntry> readout_benchmarks();

}  // namespace tarn
