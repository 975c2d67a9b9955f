#include "tarn/graph/ops/attention.hpp"

#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;

/// Scores of additive attention: leaky(source_j + target_i + term of the edge).
struct AdditiveScores {
  ConstMatrixView source, target, edge_scores, loop_scores;
  Real slope;

  [[nodiscard]] Real before(const AttentionEdge& e, Size head) const {
    const ConstMatrixView& terms = e.loop ? loop_scores : edge_scores;
    return source(e.source, head) + target(e.target, head) +
           (terms.data != nullptr ? terms(e.row, head) : Real{0});
  }
  [[nodiscard]] Real leaky(Real v) const { return v > 0 ? v : slope * v; }
  [[nodiscard]] Real slope_at(Real v) const { return v > 0 ? Real{1} : slope; }
};

/// Sums the gradients of the scores over the edges of every node that `for_edges` hands out.
template <class ForEdges>
void add_score_sums(const Adjacency& edges, Size heads, ConstMatrixView ds, ConstMatrixView loop_ds,
                    MatrixView into, ForEdges for_edges) {
  for_nodes(edges, [&](Size i) {
    for_edges(i, [&](const AttentionEdge& e) {
      const Real* slopes = e.loop ? loop_ds.row(e.row) : ds.row(e.row);
      for (Size h = 0; h < heads; ++h) into(i, h) += slopes[h];
    });
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var head_dot(Var z, Var att) {
  Tape& tape = z.tape();
  const ConstMatrixView x = z.value();
  const Size heads = att.shape()[-2], width = att.shape()[-1];
  const Real* a = att.value().data;
  const Shape shape{x.rows, heads};
  const MatrixView y = tape.allocate(shape);
  for_blocks(x.rows, rows_per_block, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      for (Size h = 0; h < heads; ++h) y(i, h) = dot(x.row(i) + h * width, a + h * width, width);
    }
  });
  return tape.record("head_dot", shape, y, {z, att}, [=, &tape](ConstMatrixView dy) {
    if (att.needs_grad()) {
      // Partial sums over fixed blocks of rows, joined in order.
      const Size blocks = (x.rows + rows_per_block - 1) / rows_per_block;
      const MatrixView partial = tape.allocate({std::max<Size>(blocks, 1), heads * width});
      for_blocks(x.rows, rows_per_block, [&](Size begin, Size end) {
        Real* sum = partial.row(begin / rows_per_block);
        std::fill_n(sum, heads * width, Real{0});
        for (Size i = begin; i < end; ++i) {
          for (Size h = 0; h < heads; ++h) add_scaled(dy(i, h), x.row(i) + h * width, sum + h * width, width);
        }
      });
      Real* da = tape.grad(att).data;
      for (Size b = 0; b < blocks; ++b) add_scaled(1, partial.row(b), da, heads * width);
    }
    if (!z.needs_grad()) return;
    const MatrixView dz = tape.grad(z);
    for_blocks(x.rows, rows_per_block, [&](Size begin, Size end) {
      for (Size i = begin; i < end; ++i) {
        for (Size h = 0; h < heads; ++h) add_scaled(dy(i, h), a + h * width, dz.row(i) + h * width, width);
      }
    });
  });
}

Var contract_heads(Var weight, Var att) {
  Tape& tape = weight.tape();
  const ConstMatrixView w = weight.value();
  const Size heads = att.shape()[-2], width = att.shape()[-1];
  const Real* a = att.value().data;
  const Shape shape{heads, w.cols};
  const MatrixView y = tape.allocate(shape);
  std::fill_n(y.data, y.size(), Real{0});
  for (Size k = 0; k < heads * width; ++k) add_scaled(a[k], w.row(k), y.row(k / width), w.cols);
  return tape.record("contract_heads", shape, y, {weight, att}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dw = weight.needs_grad() ? tape.grad(weight) : MatrixView{};
    Real* da = att.needs_grad() ? tape.grad(att).data : nullptr;
    for (Size k = 0; k < heads * width; ++k) {
      if (dw.data != nullptr) add_scaled(a[k], dy.row(k / width), dw.row(k), w.cols);
      if (da != nullptr) da[k] += dot(dy.row(k / width), w.row(k), w.cols);
    }
  });
}

Var edge_attention(const EdgeAttentionInput& in) {
  Tape& tape = in.values.tape();
  const auto view = [](Var v) { return v.given() ? v.value() : ConstMatrixView{}; };
  const EdgeWeights w(tape, in.graph, in.loops, in.source.cols(), in.dropout);
  const AdditiveScores scores{in.source.value(), in.target.value(), view(in.edge_scores),
                              view(in.loop_scores), static_cast<Real>(in.negative_slope)};
  const MatrixView y = tape.allocate(in.values.shape());
  const Adjacency incoming = w.graph.incoming();
  for_node_blocks(incoming, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) {
      w.for_edges_into(incoming, i, [&](const AttentionEdge& e) {
        for (Size h = 0; h < w.heads; ++h) w.weights_of(e)[h] = scores.leaky(scores.before(e, h));
      });
    }
    softmax_of_nodes(w, incoming, begin, end);
    for (Size i = begin; i < end; ++i) weigh_rows_of_node(w, incoming, in.values.value(), i, y.row(i));
  });
  const EdgeAttentionInput vars = in;
  return tape.record(
      "edge_attention", in.values.shape(), y,
      {in.values, in.source, in.target, in.edge_scores, in.loop_scores}, [=, &tape](ConstMatrixView dy) {
        const MatrixView ds = tape.allocate(Shape{w.graph.num_edges(), w.heads});
        const MatrixView loop_ds = w.loops ? tape.allocate({w.graph.num_nodes(), w.heads}) : MatrixView{};
        std::fill_n(ds.data, ds.size(), Real{0});  // loops that are left out keep it
        const Adjacency into = w.graph.incoming(), from = w.graph.outgoing();
        for_nodes(into, [&](Size i) {
          weight_gradients_of_node(w, into, vars.values.value(), i, dy.row(i), ds, loop_ds);
          softmax_gradient_of_node(w, into, i, ds, loop_ds);
          w.for_edges_into(into, i, [&](const AttentionEdge& e) {
            Real* slopes = EdgeWeights::row_of(e, ds, loop_ds);
            for (Size h = 0; h < w.heads; ++h) slopes[h] *= scores.slope_at(scores.before(e, h));
          });
        });
        if (vars.target.needs_grad()) {
          add_score_sums(into, w.heads, ds, loop_ds, tape.grad(vars.target),
                         [&](Size i, auto f) { w.for_edges_into(into, i, f); });
        }
        if (vars.source.needs_grad()) {
          add_score_sums(from, w.heads, ds, loop_ds, tape.grad(vars.source),
                         [&](Size i, auto f) { w.for_edges_from(from, i, f); });
        }
        if (vars.edge_scores.given() && vars.edge_scores.needs_grad())
          pass_gradient(ds, tape.sink(vars.edge_scores));
        if (vars.loop_scores.given() && vars.loop_scores.needs_grad())
          pass_gradient(loop_ds, tape.sink(vars.loop_scores));
        if (vars.values.needs_grad()) add_value_gradient(w, dy, tape.grad(vars.values));
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
