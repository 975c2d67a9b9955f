#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/mesh/primal_dual_graph.hpp"

namespace tarn {
inline namespace TARN_PRECISION {

/// Attention of primal edges from a score per dual node and head: the softmax, over the edges into a node, of
/// leaky_relu(score of the edge's dual node).
///
/// dual_scores [D, H] -> [P, H] in batch order of the edges. Subtracts the maximum; the derivative of the
/// leaky relu at 0 is the slope. Gradients are gathered at dual nodes from their edges. Time O(P H).
Var primal_attention(const PrimalDualGraph& graph, Var dual_scores, double negative_slope);

/// y_i = sum over edges (j -> i) of attention_e values_j, per head: values [N, H*C], attention [P, H] in
/// batch order
/// -> [N, H*C]. A node without edges gives zeros. Gathers forward and backward; time O(P H C).
Var attended_sum(const PrimalDualGraph& graph, Var values, Var attention);

}  // namespace TARN_PRECISION
}  // namespace tarn
