#pragma once

#include "tarn/core/product.hpp"
#include "tarn/graph/graph.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// One row per node i: scale_i sum over the edges at i of w_e factor_j x_j, + own_i x_i.
struct RowGather {
  Adjacency edges;                      ///< incoming, or outgoing for gradients
  ConstMatrixView x;                    ///< [N, D] the rows at the other ends, j, and of the node itself
  const Real* weights = nullptr;        ///< [E] by canonical index, or null: ones; zero adds nothing
  const Real* other_factors = nullptr;  ///< [N] of the other ends, or null: ones
  const Real* scales = nullptr;         ///< [N], or null: ones
  const Real* own_weights = nullptr;    ///< [N], or null: zeros
  Real own_weight = 0;                  ///< of every node, beside own_weights
};

/// Writes or adds the rows of all nodes to y [N, D], in parallel over runs of edges. Sums of up to 4 vectors
/// of columns stay in registers.
void gather_rows(const RowGather& g, MatrixView y, Write write);

}  // namespace TARN_PRECISION
}  // namespace tarn
