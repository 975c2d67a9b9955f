#pragma once

#include "tarn/core/tape.hpp"
#include "tarn/core/value.hpp"
#include "tarn/graph/graph.hpp"

#include <array>
#include <string_view>

namespace tarn {

enum class LoopFill { value, mean, sum, max, min };

/// What the attributes of loops are made of.
struct LoopRule {
  LoopFill fill = LoopFill::mean;
  double value = 0;  ///< for LoopFill::value
};
/// From the option `fill_value`: a number, mean, sum, max or min.
[[nodiscard]] LoopRule loop_rule(const Value& fill_value);

inline namespace TARN_PRECISION {

/// Attributes of one loop per node: a constant, or the column-wise mean, sum, maximum or minimum of the
/// attributes of the other edges into the node, loops left out; 0 for a node without any. edge_attr [E, F] in
/// canonical order -> [N, F]. The first edge that attains a maximum or minimum takes its gradient.
Var loop_attributes(const Graph& graph, Var edge_attr, const LoopRule& rule);

/// Edge data [E, F] or [E] from the order of the lists that the graph was made from to its canonical order.
Var canonical_edge_attr(const Graph& graph, Var given);

struct GcnWeights {
  Var edges;  ///< [E], zero on loops that were replaced; not given where roots say it all
  Var loops;  ///< [N], not given without loops of their own
  std::span<const Real>
      roots{};  ///< [N] r, where an edge weighs r_j r_i alone: no weights, no loops to replace
};

/// Symmetric normalisation r_j w_e r_i with r = deg^(-1/2) (0 for degree 0), deg_i the sum of the weights
/// into i.
///
/// With `add_loops` each node has exactly one loop, of the weight of its last listed loop or else of
/// `loop_weight`. edge_weight [E] in canonical order or not given: ones. The gradient passes through the
/// degrees. Throws ValueError naming the first node of negative degree. Kipf & Welling 2017, arXiv
/// 1609.02907.
GcnWeights gcn_weights(Tape& tape, const Graph& graph, Var edge_weight, bool add_loops, double loop_weight);

}  // namespace TARN_PRECISION
}  // namespace tarn
