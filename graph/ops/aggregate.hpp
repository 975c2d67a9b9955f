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

/// What is summed into node i: scale_i sum over edges (j -> i) of w_e x_j + loop_weights_i x_i + (1 + centre)
/// x_i, the terms that are given.
struct EdgeSum {
  Graph graph;
  Var x;                           ///< [N, D]
  Var weights{};                   ///< [E] in canonical order, or not given: ones
  Var loop_weights{};              ///< [N]
  Var centre{};                    ///< [1]
  std::span<const Real> roots{};   ///< [N] r of w_e = r_j r_i, on the tape; in place of weights, for sums
  Aggregate how = Aggregate::sum;  ///< mean: scale_i = 1 / max(number of edges into i, 1), weights or not
};

/// [N, D] -> [N, D]; a node without edges sums to zero. An edge of weight zero adds nothing. Time O(E D), no
/// [E, D] temporary: gathers over incoming edges, and over outgoing ones for the gradient of x.
Var edge_sum(const EdgeSum& in);

/// Sum, mean or maximum over incoming edges of w_e x_j, weights [E] or not given: ones. x [N, D] -> [N, D]; a
/// node without edges gives zeros. The mean divides by the number of edges; edges that attain the maximum of
/// a channel share its gradient equally.
Var aggregate(const Graph& graph, Var x, Aggregate how, Var weights = {});

/// y_i = sum over edges of relu(x_j + l(a_e)), l(a) = weight a + bias or, without a weight, a itself.
/// edge_attr [E, F] in canonical order, weight [D, F], bias [D]. The messages are computed again in the
/// backward pass.
Var edge_message_sum(const Graph& graph, Var x, Var edge_attr, Var weight, Var bias);

}  // namespace TARN_PRECISION
}  // namespace tarn
