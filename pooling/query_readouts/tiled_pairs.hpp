#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <functional>

namespace tarn {

/// What a pair of query and set comes to: the row that is computed for it, or the sum of that row.
enum class PairResult { row, sum };

inline namespace TARN_PRECISION {

/// Queries against sets, all of them or a tile of both.
struct QueriesAndSets {
  Var q;          ///< [Q, C] projected queries
  Var k, v;       ///< [N, C] projected rows
  Var raw;        ///< [Q, C] queries as they came
  Segments sets;  ///< over the rows
};

/// Computes a row for each pair of a tile, on the tape of its matrices: [sets * queries, C], set after set.
using PairRows = std::function<Var(const QueriesAndSets& tile)>;

/// Rows [Q, B, C] or their sums [Q, B] of all pairs of query and set, tile by tile of up to 64 queries and
/// about 4,096 pairs on a tape of their own, so that beside the result no more than a tile of what lies
/// between is ever held. The backward pass computes each tile again. Tiles cut sets by their number alone;
/// what a pair comes to does not depend on its tile.
Var tiled_pairs(const QueriesAndSets& in, Size width, PairResult result, PairRows rows);

}  // namespace TARN_PRECISION
}  // namespace tarn
