#pragma once

#include "tarn/graph/mesh/groups.hpp"
#include "tarn/graph/mesh/primal_dual_graph.hpp"

/// Inside of `PrimalDualGraph`.
namespace tarn {

struct PrimalDualGraph::Storage {
  DualConfiguration configuration = DualConfiguration::A;
  Segments sets;
  Segments dual_sets;
  Graph primal;
  Graph dual;
  std::vector<NodeId> edge_at;
  std::vector<NodeId> dual_at;
  std::vector<NodeId> opposite_at;
  Groups of_dual;  // positions by dual node
};

}  // namespace tarn
