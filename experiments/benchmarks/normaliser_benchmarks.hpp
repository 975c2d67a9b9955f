#pragma once

#include "tarn/experiments/benchmarks/timing.hpp"

#include <vector>

namespace tarn {

/// normalisers/NAME: forward and backward of every normaliser on 262,144 rows of 4 columns in sets of 64;
/// GB/s of reading scores and writing weights, and of reading weights and their gradient and writing that of
/// the scores, beside a copy of as many bytes.
/// normalisers/softmax/ALGORITHM/SETSxROWS: forward of one column, in the second cache, in the third, beyond
/// both, and with rows of 4 MiB; one read and one write beside a copy.
[[nodiscard]] std::vector<BenchmarkEntry> normaliser_benchmarks();

}  // namespace tarn
