#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/mesh/groups.hpp"

#include <array>
#include <memory>
#include <vector>

namespace tarn {

/// Contracted edges as rows of attention, forward and backward, and those of each cluster.
struct ContractedEdges {
  std::vector<std::array<NodeId, 2>> rows;
  Groups of_cluster;
};

inline namespace TARN_PRECISION {

/// y_c = (1 + s_c) x_c with s_c the mean, over the contracted edges of cluster c, of attention's mean over
/// heads and both directions, plus a constant; 0 for a cluster without. x [clusters, C], attention [P, H];
/// the gradient reaches both.
Var gate_rows(Var x, Var attention, std::shared_ptr<const ContractedEdges> edges, double add_to_each);

}  // namespace TARN_PRECISION
}  // namespace tarn
