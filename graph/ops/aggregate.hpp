#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/graph/graph.hpp"

#include <array>
#include <span>
#include <string_view>

namespace tarn {

enum class Aggregate { sum, mean, max };
inline std::span<const std::string_view> enum_names(Aggregate) {
  static constexpr std::array<std::string_view, 3> names{"sum", "mean", "max"};
  return names;
}

inline namespace TARN_PRECISION {

/// Sum, mean or maximum over incoming edges: x [N, D] -> [N, D]; a node without edges gives zeros.
/// The mean divides by the number of edges; edges that attain the maximum share its gradient equally.
Var aggregate(const Graph& graph, Var x, Aggregate how);

/// y_i = sum over edges (j -> i) of w_e x_j, + loop_weights_i x_i where given. weights [E] in canonical
/// order, or not given: ones. An edge of weight zero adds nothing. Time O(E D), no [E, D] temporary.
Var weighted_sum(const Graph& graph, Var x, Var weights, Var loop_weights = {});

/// y_i = sum over edges of relu(x_j + l(a_e)), l(a) = weight a + bias or, without a weight, a itself.
/// edge_attr [E, F] in canonical order, weight [D, F], bias [D]. The messages are computed again in the
/// backward pass.
Var edge_message_sum(const Graph& graph, Var x, Var edge_attr, Var weight, Var bias);

}  // namespace TARN_PRECISION
}  // namespace tarn
