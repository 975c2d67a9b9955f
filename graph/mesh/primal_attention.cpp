#include "tarn/graph/mesh/primal_attention.hpp"

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <limits>

namespace tarn {

namespace {

constexpr Size duals_per_block = 1024;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// What both passes over the scores share; handles and views only.
struct Scores {
  PrimalDualGraph graph;
  ConstMatrixView dual;  // [D, H]
  Real slope;

  [[nodiscard]] Real raw(Size position, Size h) const { return dual(graph.dual_at()[idx(position)], h); }
  [[nodiscard]] Size edge(Size position) const { return graph.edge_at()[idx(position)]; }
  [[nodiscard]] Real leaky(Real v) const { return v > 0 ? v : slope * v; }
  [[nodiscard]] Real slope_at(Real v) const { return v > 0 ? Real{1} : slope; }
};

/// Weights of the edges at some positions, by position.
void softmax_of_nodes(const Scores& s, const Adjacency& in, Size begin, Size end, MatrixView weights) {
  const Size first = in.positions(begin).begin, last = in.positions(end - 1).end;
  for (Size i = begin; i < end; ++i) {
    const Rows run = in.positions(i);
    for (Size h = 0; h < weights.cols; ++h) {
      Real best = -std::numeric_limits<Real>::infinity();
      for (Size p = run.begin; p < run.end; ++p) best = std::max(best, weights(p, h) = s.leaky(s.raw(p, h)));
      for (Size p = run.begin; p < run.end; ++p) weights(p, h) -= best;
    }
  }
  exp_in_place(weights.row(first), (last - first) * weights.cols);
  for (Size i = begin; i < end; ++i) {
    const Rows run = in.positions(i);
    for (Size h = 0; h < weights.cols; ++h) {
      double sum = 0;
      for (Size p = run.begin; p < run.end; ++p) sum += static_cast<double>(weights(p, h));
      for (Size p = run.begin; p < run.end; ++p) {
        weights(p, h) = static_cast<Real>(static_cast<double>(weights(p, h)) / sum);
      }
    }
  }
}

/// One head of a node: a few rows, weighed and summed in double, rounded once.
void sum_of_head(const PrimalDualGraph& graph, const Adjacency& in, Rows run, ConstMatrixView z,
                 ConstMatrixView alpha, Size head, Real* out, Size width) {
  constexpr Size part = 64;
  for (Size first = 0; first < width; first += part) {
    const Size count = std::min(part, width - first);
    double sum[part] = {};
    for (Size p = run.begin; p < run.end; ++p) {
      const auto weight = static_cast<double>(alpha(graph.edge_at()[idx(p)], head));
      const Real* from = z.row(in.nodes[idx(p)]) + head * width + first;
      for (Size j = 0; j < count; ++j) sum[j] += weight * static_cast<double>(from[j]);
    }
    for (Size j = 0; j < count; ++j) out[first + j] = static_cast<Real>(sum[j]);
  }
}

/// Gradients of the raw scores at the positions of node i: alpha (dalpha - sum alpha dalpha) leaky'.
void score_gradients_of_node(const Scores& s, const Adjacency& in, Size i, ConstMatrixView alpha,
                             ConstMatrixView dalpha, MatrixView ds) {
  const Rows run = in.positions(i);
  for (Size h = 0; h < ds.cols; ++h) {
    Real mean = 0;
    for (Size p = run.begin; p < run.end; ++p) mean += alpha(s.edge(p), h) * dalpha(s.edge(p), h);
    for (Size p = run.begin; p < run.end; ++p) {
      ds(p, h) = alpha(s.edge(p), h) * (dalpha(s.edge(p), h) - mean) * s.slope_at(s.raw(p, h));
    }
  }
}

/// Adds what the edges of each dual node say to it.
void gather_at_duals(const PrimalDualGraph& graph, ConstMatrixView by_position, MatrixView into) {
  for_blocks(graph.num_dual_nodes(), duals_per_block, [&](Size begin, Size end) {
    for (Size k = begin; k < end; ++k) {
      for (const NodeId p : graph.positions_of_dual(k))
        add_scaled(1, by_position.row(p), into.row(k), into.cols);
    }
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var primal_attention(const PrimalDualGraph& graph, Var dual_scores, double negative_slope) {
  Tape& tape = dual_scores.tape();
  const Scores s{graph, dual_scores.value(), static_cast<Real>(negative_slope)};
  const Shape shape{graph.primal().num_edges(), dual_scores.cols()};
  const MatrixView alpha = tape.allocate(shape), by_position = tape.allocate(shape);
  const Adjacency incoming = graph.primal().incoming();
  for_node_blocks(incoming, [&](Size begin, Size end) {
    if (incoming.positions(begin).begin == incoming.positions(end - 1).end) return;
    softmax_of_nodes(s, incoming, begin, end, by_position);
    for (Size p = incoming.positions(begin).begin; p < incoming.positions(end - 1).end; ++p) {
      std::copy_n(by_position.row(p), shape.cols(), alpha.row(s.edge(p)));
    }
  });
  return tape.record("primal_attention", shape, alpha, {dual_scores}, [=, &tape](ConstMatrixView dalpha) {
    const MatrixView ds = tape.allocate(shape);  // by position
    const Adjacency in = s.graph.primal().incoming();
    for_nodes(in, [&](Size i) { score_gradients_of_node(s, in, i, alpha, dalpha, ds); });
    gather_at_duals(s.graph, ds, tape.grad(dual_scores));
  });
}

Var attended_sum(const PrimalDualGraph& graph, Var values, Var attention) {
  Tape& tape = values.tape();
  const ConstMatrixView z = values.value(), alpha = attention.value();
  const Size heads = alpha.cols, width = z.cols / std::max<Size>(heads, 1);
  const MatrixView y = tape.allocate(values.shape());
  const Adjacency in = graph.primal().incoming();
  for_nodes(in, [&](Size i) {
    const Rows run = in.positions(i);
    for (Size h = 0; h < heads; ++h) sum_of_head(graph, in, run, z, alpha, h, y.row(i) + h * width, width);
  });
  return tape.record("attended_sum", values.shape(), y, {values, attention}, [=, &tape](ConstMatrixView dy) {
    if (attention.needs_grad()) {
      const MatrixView da = tape.grad(attention);
      const Adjacency entering = graph.primal().incoming();
      for_nodes(entering, [&](Size i) {
        const Rows run = entering.positions(i);
        for (Size p = run.begin; p < run.end; ++p) {
          const Real* from = z.row(entering.nodes[idx(p)]);
          Real* own = da.row(graph.edge_at()[idx(p)]);
          for (Size h = 0; h < heads; ++h) own[h] += dot(dy.row(i) + h * width, from + h * width, width);
        }
      });
    }
    if (!values.needs_grad()) return;
    const MatrixView dz = tape.grad(values);
    const Adjacency leaving = graph.primal().outgoing();
    for_nodes(leaving, [&](Size j) {
      const Rows run = leaving.positions(j);
      for (Size q = run.begin; q < run.end; ++q) {
        const Real* own = alpha.row(graph.edge_at()[idx(leaving.edges[idx(q)])]);
        const Real* to = dy.row(leaving.nodes[idx(q)]);
        for (Size h = 0; h < heads; ++h) add_scaled(own[h], to + h * width, dz.row(j) + h * width, width);
      }
    });
  });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
