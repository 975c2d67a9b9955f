#include "tarn/graph/ops/dynamic_attention.hpp"

#include "tarn/graph/ops/edge_map.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <vector>

namespace tarn {

namespace {

/// What both passes share; views and handles by value.
struct Scores {
  ConstMatrixView source, target;
  const Real* att;  // [H * C]
  EdgeMap map;
  Real slope;
  Size heads, width;

  [[nodiscard]] Size columns() const { return heads * width; }
  /// z = l_j + r_i + W a_e.
  void sum_terms(const AttentionEdge& e, Real* __restrict z) const {
    const Real* __restrict l = source.row(e.source);
    const Real* __restrict r = target.row(e.target);
    for (Size c = 0; c < columns(); ++c) z[c] = l[c] + r[c];
    if (map.given()) map.add(e, z);
  }
  void score(const AttentionEdge& e, Real* z, Real* scores) const {
    sum_terms(e, z);
    for (Size c = 0; c < columns(); ++c) z[c] = z[c] > 0 ? z[c] : slope * z[c];
    for (Size h = 0; h < heads; ++h) scores[h] = dot(att + h * width, z + h * width, width);
  }
  /// From the gradients of the scores of an edge: z becomes leaky(z), g the gradient of z.
  void slopes(const AttentionEdge& e, const Real* ds, Real* __restrict z, Real* __restrict g) const {
    sum_terms(e, z);
    for (Size h = 0; h < heads; ++h) {
      for (Size c = h * width; c < (h + 1) * width; ++c) {
        const Real factor = z[c] > 0 ? Real{1} : slope;
        g[c] = ds[h] * att[c] * factor;
        z[c] *= factor;
      }
    }
  }
};

/// Gradients over the edges into each node: of `target`, of `att` and of the map with its features.
void add_incoming_gradients(Tape& tape, const EdgeWeights& w, const Scores& s, MatrixView ds,
                            MatrixView loop_ds, const DynamicAttentionInput& vars) {
  const Size columns = s.columns(), features = s.map.num_features();
  const MatrixView dr = vars.target.needs_grad() ? tape.grad(vars.target) : MatrixView{};
  const EdgeMap::FeatureGradients da = s.map.feature_gradients(tape);
  const Adjacency in = w.graph.incoming();
  const auto add_edge = [&](const AttentionEdge& e, Real* z, Real* g, double* sum) {
    const Real* slopes = EdgeWeights::row_of(e, ds, loop_ds);
    s.slopes(e, slopes, z, g);
    if (dr.data != nullptr) add_scaled(1, g, dr.row(e.target), columns);
    for (Size h = 0; h < s.heads; ++h) {
      for (Size c = h * s.width; c < (h + 1) * s.width; ++c) sum[c] += static_cast<double>(slopes[h] * z[c]);
    }
    if (!s.map.given()) return;
    const Real* a = s.map.features(e);
    Real* into = da.of(e);
    for (Size f = 0; f < features; ++f) {
      double* of_map = sum + (1 + f) * columns;
      for (Size c = 0; c < columns; ++c) of_map[c] += static_cast<double>(a[f] * g[c]);
      if (into != nullptr) into[f] += dot(s.map.rows().row(f), g, columns);
    }
  };
  const auto sums = sum_over_nodes(in, (1 + features) * columns, [&](Rows nodes, double* sum) {
    std::vector<Real> scratch(static_cast<std::size_t>(2 * columns));
    for (Size i = nodes.begin; i < nodes.end; ++i) {
      w.for_edges_into(
          in, i, [&](const AttentionEdge& e) { add_edge(e, scratch.data(), scratch.data() + columns, sum); });
    }
  });
  if (vars.att.needs_grad()) {
    Real* into = tape.grad(vars.att).data;
    for (Size c = 0; c < columns; ++c) into[c] += static_cast<Real>(sums[static_cast<std::size_t>(c)]);
  }
  s.map.add_weight_gradient(tape, sums.data() + columns);
}

/// Gradient of `source`: as a term of the scores over the edges from each node, and as the value.
void add_source_gradient(const EdgeWeights& w, const Scores& s, MatrixView ds, MatrixView loop_ds,
                         ConstMatrixView dy, MatrixView into) {
  add_value_gradient(w, dy, into);
  const Adjacency out = w.graph.outgoing();
  for_node_blocks(out, [&](Size begin, Size end) {
    std::vector<Real> scratch(static_cast<std::size_t>(2 * s.columns()));
    Real *z = scratch.data(), *g = z + s.columns();
    for (Size j = begin; j < end; ++j) {
      w.for_edges_from(out, j, [&](const AttentionEdge& e) {
        s.slopes(e, EdgeWeights::row_of(e, ds, loop_ds), z, g);
        add_scaled(1, g, into.row(j), s.columns());
      });
    }
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var dynamic_attention(const DynamicAttentionInput& in) {
  Tape& tape = in.source.tape();
  const DynamicAttentionInput vars = in;
  const Size heads = in.att.shape()[-2];
  const EdgeWeights w(tape, in.graph, in.loops, heads, in.dropout);
  const Scores s{.source = in.source.value(),
                 .target = in.target.value(),
                 .att = in.att.value().data,
                 .map = EdgeMap(tape, in.edge_attr, in.loop_attr, in.edge_weight),
                 .slope = static_cast<Real>(in.negative_slope),
                 .heads = heads,
                 .width = in.att.shape()[-1]};
  const MatrixView y = tape.allocate(in.source.shape());
  const Adjacency incoming = w.graph.incoming();
  for_node_blocks(incoming, [&](Size begin, Size end) {
    std::vector<Real> z(static_cast<std::size_t>(s.columns()));
    for (Size i = begin; i < end; ++i) {
      w.for_edges_into(incoming, i, [&](const AttentionEdge& e) { s.score(e, z.data(), w.weights_of(e)); });
    }
    softmax_of_nodes(w, incoming, begin, end);
    for (Size i = begin; i < end; ++i) weigh_rows_of_node(w, incoming, s.source, i, y.row(i));
  });
  return tape.record(
      "dynamic_attention", in.source.shape(), y,
      {in.source, in.target, in.att, in.edge_attr, in.loop_attr, in.edge_weight},
      [=, &tape](ConstMatrixView dy) {
        const MatrixView ds = tape.allocate({w.graph.num_edges(), heads});
        const MatrixView loop_ds = w.loops ? tape.allocate({w.graph.num_nodes(), heads}) : MatrixView{};
        const Adjacency into = w.graph.incoming();
        for_nodes(into, [&](Size i) {
          weight_gradients_of_node(w, into, s.source, i, dy.row(i), ds, loop_ds);
          softmax_gradient_of_node(w, into, i, ds, loop_ds);
        });
        add_incoming_gradients(tape, w, s, ds, loop_ds, vars);
        if (vars.source.needs_grad()) {
          add_source_gradient(w, s, ds, loop_ds, dy, tape.grad(vars.source));
        }
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
