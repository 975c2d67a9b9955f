#include "tarn/graph/ops/edge_weights.hpp"

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <limits>

namespace tarn {

namespace {

constexpr Real softmax_eps = Real(1e-16);

/// Scores of the edges into a node, less their maximum; one that is left out becomes exp(-inf) = 0.
void shift_scores(const EdgeWeights& w, const Adjacency& in, Size node, Size head) {
  Real best = -std::numeric_limits<Real>::infinity();
  w.for_edges_into(in, node, [&](const AttentionEdge& e) { best = std::max(best, w.weights_of(e)[head]); });
  if (best == -std::numeric_limits<Real>::infinity()) best = 0;  // nothing but loops that are left out
  const Rows run = in.positions(node);
  for (Size e = run.begin; e < run.end; ++e) {
    const bool left_out = w.drops_loops && in.nodes[static_cast<std::size_t>(e)] == node;
    w.alpha(e, head) = left_out ? -std::numeric_limits<Real>::infinity() : w.alpha(e, head) - best;
  }
  if (w.loops) w.loop_alpha(node, head) -= best;
}

void divide_by_sum(const EdgeWeights& w, const Adjacency& in, Size node, Size head) {
  const Rows run = in.positions(node);
  Real sum = w.loops ? w.loop_alpha(node, head) : Real{0};
  for (Size e = run.begin; e < run.end; ++e) sum += w.alpha(e, head);
  const Real scale = 1 / (sum + softmax_eps);
  for (Size e = run.begin; e < run.end; ++e) w.alpha(e, head) *= scale;
  if (w.loops) w.loop_alpha(node, head) *= scale;
}

}  // namespace

inline namespace TARN_PRECISION {

EdgeWeights::EdgeWeights(Tape& tape, const Graph& over, Loops kind, Size num_heads, double share)
    : graph(over),
      drops_loops(kind != Loops::as_given),
      loops(kind == Loops::one_each),
      heads(num_heads),
      drops(share > 0 && tape.pass().training),
      factors(drops ? DropoutFactors(tape.next_rng(), share) : DropoutFactors()),
      alpha(tape.allocate({graph.num_edges(), heads})),
      loop_alpha(loops ? tape.allocate({graph.num_nodes(), heads}) : MatrixView{}) {}

void softmax_of_nodes(const EdgeWeights& w, const Adjacency& in, Size begin, Size end) {
  for (Size i = begin; i < end; ++i) {
    for (Size h = 0; h < w.heads; ++h) shift_scores(w, in, i, h);
  }
  // Scores of neighbouring nodes lie side by side, so that exp runs over all of them at once.
  const Size first = in.positions(begin).begin, last = in.positions(end - 1).end;
  exp_in_place(w.alpha.row(first), (last - first) * w.heads);
  if (w.loops) exp_in_place(w.loop_alpha.row(begin), (end - begin) * w.heads);
  for (Size i = begin; i < end; ++i) {
    for (Size h = 0; h < w.heads; ++h) divide_by_sum(w, in, i, h);
  }
}

void softmax_gradient_of_node(const EdgeWeights& w, const Adjacency& in, Size node, MatrixView d,
                              MatrixView loop_d) {
  for (Size h = 0; h < w.heads; ++h) {
    Real mean = 0;  // sum of alpha d
    w.for_edges_into(in, node, [&](const AttentionEdge& e) {
      mean += w.weights_of(e)[h] * EdgeWeights::row_of(e, d, loop_d)[h];
    });
    w.for_edges_into(in, node, [&](const AttentionEdge& e) {
      Real& slope = EdgeWeights::row_of(e, d, loop_d)[h];
      slope = w.weights_of(e)[h] * (slope - mean);
    });
  }
}

void weigh_rows_of_node(const EdgeWeights& w, const Adjacency& in, ConstMatrixView values, Size node,
                        Real* y) {
  const Size width = values.cols / w.heads;
  std::fill_n(y, values.cols, Real{0});
  w.for_edges_into(in, node, [&](const AttentionEdge& e) {
    const Real* row = values.row(e.source);
    const Real* weights = w.weights_of(e);
    for (Size h = 0; h < w.heads; ++h) {
      add_scaled(weights[h] * w.kept(e, h), row + h * width, y + h * width, width);
    }
  });
}

void weight_gradients_of_node(const EdgeWeights& w, const Adjacency& in, ConstMatrixView values, Size node,
                              const Real* dy, MatrixView d, MatrixView loop_d) {
  const Size width = values.cols / w.heads;
  w.for_edges_into(in, node, [&](const AttentionEdge& e) {
    const Real* row = values.row(e.source);
    Real* slopes = EdgeWeights::row_of(e, d, loop_d);
    for (Size h = 0; h < w.heads; ++h) {
      slopes[h] = w.kept(e, h) * dot(dy + h * width, row + h * width, width);
    }
  });
}

void add_value_gradient(const EdgeWeights& w, ConstMatrixView dy, MatrixView into) {
  const Size width = dy.cols / w.heads;
  const Adjacency out = w.graph.outgoing();
  for_nodes(out, [&](Size j) {
    Real* row = into.row(j);
    w.for_edges_from(out, j, [&](const AttentionEdge& e) {
      const Real* above = dy.row(e.target);
      const Real* weights = w.weights_of(e);
      for (Size h = 0; h < w.heads; ++h) {
        add_scaled(weights[h] * w.kept(e, h), above + h * width, row + h * width, width);
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
