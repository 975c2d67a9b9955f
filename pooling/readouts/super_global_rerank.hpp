#pragma once

#include "tarn/core/options.hpp"
#include "tarn/core/tensor.hpp"

#include <vector>

namespace tarn {

struct RerankOptions {
  Size M = 400;
  Size K = 9;
  double beta = 0.15;
  void fields(Fields& f) {
    f("M", M, at_least(1), "best descriptors that are ranked again; at most the database");
    f("K", K, at_least(0), "neighbours that refine a descriptor");
    f("beta", beta, any_finite(), "weight of a neighbour's similarity");
  }
};

inline namespace TARN_PRECISION {

struct Reranked {
  Size M = 0;                       ///< descriptors that were ranked again
  std::vector<Size> initial_ranks;  ///< [Q, database] rows by inner product, descending
  std::vector<Size> ranks;          ///< [Q, database] after the second look at the best M
  Tensor refined;                   ///< [Q, M, D] in the initial order
};

/// SuperGlobal's second look: among the best M of a query each descriptor becomes the weighted mean of its K
/// + 1 nearest there (itself first, weight 1; the others beta times similarity), S1 = <q, refined>, e =
/// columnwise maximum of the first K + 1 refined in that order, S2 = <e, refined>, and they are ordered by
/// (S1 + S2) / 2.
///
/// Both inputs are L2-normalised rows: x [database, D], queries [Q, D]. Ties go to the lower place. No
/// gradient. Time O(Q (database + M^2) D). Throws ShapeError for widths that differ. Shao et al. 2023, arXiv
/// 2308.06954, its code, which computes weights of the expanded query and does not use them.
[[nodiscard]] Reranked super_global_rerank(ConstMatrixView x, ConstMatrixView queries,
                                           const RerankOptions& options);

}  // namespace TARN_PRECISION
}  // namespace tarn
