#pragma once

#include "tarn/core/segments.hpp"
#include "tarn/core/tape.hpp"

#include <functional>

namespace tarn {
inline namespace TARN_PRECISION {

/// Queries against sets, all of them or a tile of both.
struct TiledScores {
  Var q;          ///< [Q, C] projected queries
  Var k, v;       ///< [N, C] projected rows
  Var raw;        ///< [Q, C] queries as they came
  Segments sets;  ///< over the rows
};

/// The terms of the scores of a tile, on the tape of its matrices: [sets * queries, C], set after set, whose
/// row sums are scores.
using ScoreTerms = std::function<Var(const TiledScores& tile)>;

/// Scores [Q, B] of every query and set, tile by tile of up to 64 queries and about 4,096 pairs on a tape of
/// their own, so that no more than a tile of what lies between is ever held. The backward pass computes each
/// tile again. Tiles cut sets by their number alone; the score of a set does not depend on its tile.
Var tiled_scores(const TiledScores& in, ScoreTerms terms);

}  // namespace TARN_PRECISION
}  // namespace tarn
