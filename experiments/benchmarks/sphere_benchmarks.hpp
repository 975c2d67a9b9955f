#pragma once

#include "tarn/experiments/benchmarks/timing.hpp"

#include <vector>

namespace tarn {

/// healpix_conv/NSIDE/IN/OUT (forward, and with /step backward too; operations per second beside the product
/// rate, bytes beside the copy rate), cheb/NSIDE/IN/OUT, healpix_graph/NSIDE, healpix_neighbours/NSIDE (ns
/// per pixel), synth/NSIDE/LMAX and its like (ms per map), project/NSIDE/DEGREES (ms per image),
/// sphere_mnist/step (ms per image).
[[nodiscard]] std::vector<BenchmarkEntry> sphere_benchmarks();

}  // namespace tarn
