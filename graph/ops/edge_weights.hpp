#pragma once

#include "tarn/core/ops/dropout_factors.hpp"
#include "tarn/core/tape.hpp"
#include "tarn/graph/graph.hpp"

namespace tarn {

/// Edges as the graph has them, or its loops left out, with or without one loop per node in their place.
enum class Loops { as_given, left_out, one_each };

inline namespace TARN_PRECISION {

/// An edge of attention: one of the graph's, or the loop that a node has in place of its own.
struct AttentionEdge {
  Size source;
  Size target;
  Size row;   ///< of the graph's edge data, or of the loops' (the node)
  bool loop;  ///< one of those put in
};

/// Attention weights on edges, per head: what the kinds of attention in this folder share. Views and handles
/// by value; memory of the tape.
struct EdgeWeights {
  Graph graph;
  bool drops_loops;  ///< those of the graph
  bool loops;        ///< one of its own at each node
  Size heads;
  bool drops;  ///< weights, in training
  DropoutFactors factors;
  MatrixView alpha, loop_alpha;  ///< [E, H], [N, H]: scores, then weights before dropout

  EdgeWeights(Tape& tape, const Graph& graph, Loops loops, Size heads, double dropout);

  /// Weights or scores of an edge in matrices [E, H] and [N, H].
  [[nodiscard]] static Real* row_of(const AttentionEdge& e, MatrixView edges, MatrixView loops) {
    return e.loop ? loops.row(e.row) : edges.row(e.row);
  }
  [[nodiscard]] Real* weights_of(const AttentionEdge& e) const { return row_of(e, alpha, loop_alpha); }
  /// Factor of dropout.
  [[nodiscard]] Real kept(const AttentionEdge& e, Size head) const {
    return drops ? factors(((e.loop ? graph.num_edges() : 0) + e.row) * heads + head) : Real{1};
  }

  /// Calls f(edge) for the edges into, or out of, a node; the graph's own
  /// loops where they count.
  template <class F>
  void for_edges_into(const Adjacency& in, Size node, F f) const {
    const Rows run = in.positions(node);
    for (Size e = run.begin; e < run.end; ++e) {
      const Size source = in.nodes[static_cast<std::size_t>(e)];
      if (!drops_loops || source != node) f(AttentionEdge{source, node, e, false});
    }
    if (loops) f(AttentionEdge{node, node, node, true});
  }
  template <class F>
  void for_edges_from(const Adjacency& out, Size node, F f) const {
    const Rows run = out.positions(node);
    for (Size p = run.begin; p < run.end; ++p) {
      const Size target = out.nodes[static_cast<std::size_t>(p)];
      if (!drops_loops || target != node)
        f(AttentionEdge{node, target, out.edges[static_cast<std::size_t>(p)], false});
    }
    if (loops) f(AttentionEdge{node, node, node, true});
  }
};

/// Scores of the edges into nodes begin .. end-1 become weights: exp(s - max) / (sum + 1e-16) per head.
void softmax_of_nodes(const EdgeWeights& w, const Adjacency& in, Size begin, Size end);

/// Gradients of the weights of the edges into a node become those of the scores: alpha (d - sum alpha d).
void softmax_gradient_of_node(const EdgeWeights& w, const Adjacency& in, Size node, MatrixView d,
                              MatrixView loop_d);

/// y = sum over the edges into a node of the kept weights times the rows of values [N, H C] at their sources.
void weigh_rows_of_node(const EdgeWeights& w, const Adjacency& in, ConstMatrixView values, Size node,
                        Real* y);

/// Gradients of the weights in that sum: d_e = kept <dy, values_j> per head.
void weight_gradients_of_node(const EdgeWeights& w, const Adjacency& in, ConstMatrixView values, Size node,
                              const Real* dy, MatrixView d, MatrixView loop_d);

/// Adds the gradient of `values` in that sum, gathered over outgoing edges.
void add_value_gradient(const EdgeWeights& w, ConstMatrixView dy, MatrixView into);

}  // namespace TARN_PRECISION
}  // namespace tarn
