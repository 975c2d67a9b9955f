#pragma once

#include "tarn/graph/healpix/sky.hpp"

#include <vector>

namespace tarn::healpix {

/// The k nearest other pixels of each row of a sky: [n, k] rows, each run ascending. Distances between
/// centres are compared after rounding to 12 decimals, ties go to the smaller row.
///
/// Needs 1 <= k < n. Pixels are gathered from the quad tree around each small group and searched again
/// further out until the k-th distance is certain: O(n k log k) where pixels lie close together, never all
/// pairs.
[[nodiscard]] std::vector<NodeId> nearest_pixels(const Sky& sky, Size k);

}  // namespace tarn::healpix
