#include "tarn/graph/ops/attention.hpp"

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <limits>

namespace tarn {

namespace {

constexpr Size rows_per_block = 256;
constexpr Real softmax_eps = Real(1e-16);

/// Everything the two passes share; views and handles only.
struct Attention {
  Graph graph;
  bool drops_loops;   // those of the graph
  bool loops;         // one of its own at each node
  Size heads, width;  // H, C
  ConstMatrixView values, source, target, edge_scores, loop_scores;
  Real slope;
  double dropout;
  Rng rng;
  MatrixView alpha, loop_alpha;  // [E, H], [N, H] before dropout

  [[nodiscard]] bool skips(Size from, Size to) const { return drops_loops && from == to; }
  [[nodiscard]] Real leaky(Real v) const { return v > 0 ? v : slope * v; }
  [[nodiscard]] Real slope_at(Real v) const { return v > 0 ? Real{1} : slope; }
  [[nodiscard]] Real raw(Size edge, Size j, Size i, Size h) const {
    return source(j, h) + target(i, h) + (edge_scores.data != nullptr ? edge_scores(edge, h) : Real{0});
  }
  [[nodiscard]] Real raw_loop(Size i, Size h) const {
    return source(i, h) + target(i, h) + (loop_scores.data != nullptr ? loop_scores(i, h) : Real{0});
  }
  /// Factor of dropout on entry `position` of [E + N, H].
  [[nodiscard]] Real kept(Size position) const {
    if (dropout == 0) return 1;
    return rng.uniform(static_cast<std::uint64_t>(position)) < dropout ? Real{0} : Real(1 / (1 - dropout));
  }
  [[nodiscard]] Real kept_edge(Size edge, Size h) const { return kept(edge * heads + h); }
  [[nodiscard]] Real kept_loop(Size i, Size h) const { return kept((graph.num_edges() + i) * heads + h); }
};

/// Scores of the edges into i, less their maximum.
void shifted_scores_of_node(const Attention& a, const Adjacency& in, Size i) {
  const Rows run = in.positions(i);
  for (Size h = 0; h < a.heads; ++h) {
    Real best = -std::numeric_limits<Real>::infinity();
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = in.nodes[static_cast<std::size_t>(e)];
      // An entry left out becomes exp(-inf) = 0.
      a.alpha(e, h) = a.skips(j, i) ? -std::numeric_limits<Real>::infinity() : a.leaky(a.raw(e, j, i, h));
      best = std::max(best, a.alpha(e, h));
    }
    if (a.loops) best = std::max(best, a.loop_alpha(i, h) = a.leaky(a.raw_loop(i, h)));
    if (best == -std::numeric_limits<Real>::infinity()) best = 0;  // nothing but loops that are left out
    for (Size e = run.begin; e < run.end; ++e) a.alpha(e, h) -= best;
    if (a.loops) a.loop_alpha(i, h) -= best;
  }
}

void divide_by_sum_of_node(const Attention& a, const Adjacency& in, Size i) {
  const Rows run = in.positions(i);
  for (Size h = 0; h < a.heads; ++h) {
    Real sum = a.loops ? a.loop_alpha(i, h) : Real{0};
    for (Size e = run.begin; e < run.end; ++e) sum += a.alpha(e, h);
    const Real scale = 1 / (sum + softmax_eps);
    for (Size e = run.begin; e < run.end; ++e) a.alpha(e, h) *= scale;
    if (a.loops) a.loop_alpha(i, h) *= scale;
  }
}

/// Softmax weights of all edges into nodes begin .. end-1; their scores lie side by side, so that exp runs
/// over all of them at once.
void softmax_of_nodes(const Attention& a, const Adjacency& in, Size begin, Size end) {
  for (Size i = begin; i < end; ++i) shifted_scores_of_node(a, in, i);
  const Size first = in.positions(begin).begin, last = in.positions(end - 1).end;
  exp_in_place(a.alpha.row(first), (last - first) * a.heads);
  if (a.loops) exp_in_place(a.loop_alpha.row(begin), (end - begin) * a.heads);
  for (Size i = begin; i < end; ++i) divide_by_sum_of_node(a, in, i);
}

void sum_of_node(const Attention& a, const Adjacency& in, Size i, Real* y) {
  std::fill_n(y, a.heads * a.width, Real{0});
  const Rows run = in.positions(i);
  for (Size e = run.begin; e < run.end; ++e) {
    const Real* value = a.values.row(in.nodes[static_cast<std::size_t>(e)]);
    for (Size h = 0; h < a.heads; ++h) {
      add_scaled(a.alpha(e, h) * a.kept_edge(e, h), value + h * a.width, y + h * a.width, a.width);
    }
  }
  if (!a.loops) return;
  for (Size h = 0; h < a.heads; ++h) {
    add_scaled(a.loop_alpha(i, h) * a.kept_loop(i, h), a.values.row(i) + h * a.width, y + h * a.width,
               a.width);
  }
}

/// Gradients of the scores of the edges into i: ds_e = alpha_e (dalpha_e - sum alpha dalpha) leaky'.
void score_gradients_of_node(const Attention& a, const Adjacency& in, Size i, const Real* dy, MatrixView ds,
                             MatrixView loop_ds) {
  const Rows run = in.positions(i);
  for (Size h = 0; h < a.heads; ++h) {
    const Real* g = dy + h * a.width;
    Real mean = 0;  // sum of alpha dalpha
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = in.nodes[static_cast<std::size_t>(e)];
      ds(e, h) = a.skips(j, i) ? Real{0} : a.kept_edge(e, h) * dot(g, a.values.row(j) + h * a.width, a.width);
      mean += a.alpha(e, h) * ds(e, h);
    }
    if (a.loops) {
      loop_ds(i, h) = a.kept_loop(i, h) * dot(g, a.values.row(i) + h * a.width, a.width);
      mean += a.loop_alpha(i, h) * loop_ds(i, h);
    }
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = in.nodes[static_cast<std::size_t>(e)];
      ds(e, h) = a.alpha(e, h) * (ds(e, h) - mean) * a.slope_at(a.raw(e, j, i, h));
    }
    if (a.loops) loop_ds(i, h) = a.loop_alpha(i, h) * (loop_ds(i, h) - mean) * a.slope_at(a.raw_loop(i, h));
  }
}

void add_target_gradient(const Attention& a, ConstMatrixView ds, ConstMatrixView loop_ds, MatrixView into) {
  const Adjacency in = a.graph.incoming();
  for_nodes(in, [&](Size i) {
    const Rows run = in.positions(i);
    for (Size h = 0; h < a.heads; ++h) {
      Real sum = a.loops ? loop_ds(i, h) : Real{0};
      for (Size e = run.begin; e < run.end; ++e) sum += ds(e, h);
      into(i, h) += sum;
    }
  });
}

void add_source_gradient(const Attention& a, ConstMatrixView ds, ConstMatrixView loop_ds, MatrixView into) {
  const Adjacency out = a.graph.outgoing();
  for_nodes(out, [&](Size j) {
    const Rows run = out.positions(j);
    for (Size h = 0; h < a.heads; ++h) {
      Real sum = a.loops ? loop_ds(j, h) : Real{0};
      for (Size p = run.begin; p < run.end; ++p) sum += ds(out.edges[static_cast<std::size_t>(p)], h);
      into(j, h) += sum;
    }
  });
}

void add_value_gradient(const Attention& a, ConstMatrixView dy, MatrixView into) {
  const Adjacency out = a.graph.outgoing();
  for_nodes(out, [&](Size j) {
    const Rows run = out.positions(j);
    Real* dz = into.row(j);
    for (Size p = run.begin; p < run.end; ++p) {
      const auto at = static_cast<std::size_t>(p);
      for (Size h = 0; h < a.heads; ++h) {
        const Real factor = a.alpha(out.edges[at], h) * a.kept_edge(out.edges[at], h);
        add_scaled(factor, dy.row(out.nodes[at]) + h * a.width, dz + h * a.width, a.width);
      }
    }
    if (!a.loops) return;
    for (Size h = 0; h < a.heads; ++h) {
      add_scaled(a.loop_alpha(j, h) * a.kept_loop(j, h), dy.row(j) + h * a.width, dz + h * a.width, a.width);
    }
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
  const Size heads = in.source.cols();
  const bool drops = tape.pass().training && in.dropout > 0;
  Attention a{in.graph,
              in.loops != Loops::as_given,
              in.loops == Loops::one_each,
              heads,
              in.values.cols() / heads,
              in.values.value(),
              in.source.value(),
              in.target.value(),
              view(in.edge_scores),
              view(in.loop_scores),
              static_cast<Real>(in.negative_slope),
              drops ? in.dropout : 0.0,
              drops ? tape.next_rng() : Rng{},
              tape.allocate({in.graph.num_edges(), heads}),
              {}};
  if (a.loops) a.loop_alpha = tape.allocate({in.graph.num_nodes(), heads});
  const MatrixView y = tape.allocate(in.values.shape());
  const Adjacency incoming = a.graph.incoming();
  for_node_blocks(incoming, [&](Size begin, Size end) {
    softmax_of_nodes(a, incoming, begin, end);
    for (Size i = begin; i < end; ++i) sum_of_node(a, incoming, i, y.row(i));
  });
  const EdgeAttentionInput vars = in;
  return tape.record(
      "edge_attention", in.values.shape(), y,
      {in.values, in.source, in.target, in.edge_scores, in.loop_scores}, [=, &tape](ConstMatrixView dy) {
        const MatrixView ds = tape.allocate({a.graph.num_edges(), heads});
        const MatrixView loop_ds = a.loops ? tape.allocate({a.graph.num_nodes(), heads}) : MatrixView{};
        const Adjacency edges = a.graph.incoming();
        for_nodes(edges, [&](Size i) { score_gradients_of_node(a, edges, i, dy.row(i), ds, loop_ds); });
        if (vars.target.needs_grad()) add_target_gradient(a, ds, loop_ds, tape.grad(vars.target));
        if (vars.source.needs_grad()) add_source_gradient(a, ds, loop_ds, tape.grad(vars.source));
        if (vars.edge_scores.given() && vars.edge_scores.needs_grad())
          pass_gradient(ds, tape.sink(vars.edge_scores));
        if (vars.loop_scores.given() && vars.loop_scores.needs_grad())
          pass_gradient(loop_ds, tape.sink(vars.loop_scores));
        if (vars.values.needs_grad()) add_value_gradient(a, dy, tape.grad(vars.values));
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
