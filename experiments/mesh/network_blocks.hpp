#pragma once

#include "tarn/experiments/mesh/mesh_network.hpp"

#include <memory>

namespace tarn {

/// How a network's pools join features.
struct PoolAggregation {
  ClusterAggregation primal = ClusterAggregation::mean;
  ClusterAggregation dual = ClusterAggregation::mean;
};

/// Options of the two kinds of blocks at a place in a network.
[[nodiscard]] DualPrimalResDownConvOptions res_down_options(const MeshNetworkOptions& options,
                                                            const BlockPlace& place, const PoolAmount& amount,
                                                            const PoolAggregation& aggregation);
[[nodiscard]] DualPrimalDownConvOptions down_options(const MeshNetworkOptions& options,
                                                     const BlockPlace& place, const PoolAmount& amount,
                                                     const PoolAggregation& aggregation);

}  // namespace tarn
