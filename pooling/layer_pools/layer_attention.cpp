#include "tarn/pooling/layer_pools/layer_attention.hpp"

#include "tarn/core/ops/set_chunks.hpp"
#include "tarn/core/ops/simd.hpp"
#include "tarn/core/ops/vector.hpp"

#include <algorithm>
#include <vector>

namespace tarn {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// What both passes share; views, handles and memory of the tape.
struct Problem {
  std::span<Var> layers;
  std::span<ConstMatrixView> x;  // of the layers
  Segments sets;
  Var query, offsets;
  double scale;
  LayerWeights rule;
  LayerScope scope;
  Size nodes, width, rows;  // rows of weights
  std::span<double> c, a;   // [rows * L]
  ConstMatrixView* dsum;    // gradient of the sum, once it is known

  [[nodiscard]] Size count() const { return static_cast<Size>(layers.size()); }
  [[nodiscard]] bool scored() const { return query.given(); }
  /// The row of weights that a node of a set uses.
  [[nodiscard]] Size row_of(Size set, Size node) const { return scope == LayerScope::node ? node : set; }
  template <class T>
  [[nodiscard]] std::span<T> row(std::span<T> all, Size r) const {
    return all.subspan(at(r * count()), layers.size());
  }
  /// 1 / (number of nodes that a mean of scores is over), for a row of weights; 0 for an empty set.
  [[nodiscard]] double share(Size r) const {
    if (scope == LayerScope::node) return 1;
    if (sets.size(r) == 0) return 0;
    const Size n = scope == LayerScope::batch ? nodes : sets.size(r);
    return 1 / static_cast<double>(n);
  }
};

/// Adds <row, x_{v,l}> of one node to sums [L].
void add_products(const Problem& p, const Real* row, Size v, double* sums) {
  for (Size l = 0; l < p.count(); ++l) sums[l] += static_cast<double>(dot(row, p.x[at(l)].row(v), p.width));
}

/// Sums [rows, L] of what f(node, sums) adds for the nodes of each row of weights: of a set, of every node by
/// itself, or of all nodes, whose sums every set with nodes then has.
template <class F>
std::span<double> sums_per_row(Tape& tape, const Problem& p, F f) {
  const Size layers = p.count();
  const auto sums = tape.allocate_array<double>(p.rows * layers);
  std::fill(sums.begin(), sums.end(), 0.0);
  const SetChunks chunks(tape, p.sets);
  if (p.scope == LayerScope::node) {
    chunks.for_each([&](Size, const SetChunk& chunk) {
      for (Size v = chunk.rows.begin; v < chunk.rows.end; ++v) f(v, sums.data() + v * layers);
    });
    return sums;
  }
  const auto parts = chunks.sums(tape, layers, [&](const SetChunk& chunk, double* into) {
    for (Size v = chunk.rows.begin; v < chunk.rows.end; ++v) f(v, into);
  });
  for (Size b = 0; b < p.rows; ++b) {
    if (p.sets.size(b) > 0)
      std::copy_n(parts.data() + chunks.of(b).begin * layers, layers, sums.data() + b * layers);
  }
  return sums;
}

/// Every row with nodes becomes the sum of all rows.
void share_over_batch(const Problem& p, std::span<double> sums) {
  const Size layers = p.count();
  std::vector<double> total(at(layers), 0.0);
  for (Size b = 0; b < p.rows; ++b) {
    if (p.sets.size(b) == 0) continue;
    for (Size l = 0; l < layers; ++l) total[at(l)] += sums[at(b * layers + l)];
  }
  for (Size b = 0; b < p.rows; ++b) {
    if (p.sets.size(b) > 0) std::copy(total.begin(), total.end(), sums.begin() + b * layers);
  }
}

void weigh_layers(Tape& tape, const Problem& p) {
  if (!p.scored()) {
    for (Size r = 0; r < p.rows; ++r) {
      const bool empty = p.scope != LayerScope::node && p.sets.size(r) == 0;
      std::ranges::fill(p.row(p.a, r), empty ? 0.0 : 1 / static_cast<double>(p.count()));
    }
    return;
  }
  const ConstMatrixView u = p.query.value();
  const ConstMatrixView t = p.offsets.given() ? p.offsets.value() : ConstMatrixView{};
  const auto sums = sums_per_row(tape, p, [&](Size v, double* into) {
    add_products(p, u.row(v), v, into);
    for (Size l = 0; l < p.count() && t.data != nullptr; ++l) into[l] += static_cast<double>(t(v, l));
  });
  if (p.scope == LayerScope::batch) share_over_batch(p, sums);
  for (Size r = 0; r < p.rows; ++r) {
    const double share = p.share(r);
    if (share == 0) {
      std::ranges::fill(p.row(p.c, r), 0.0);
      std::ranges::fill(p.row(p.a, r), 0.0);
      continue;
    }
    for (Size l = 0; l < p.count(); ++l) p.row(p.c, r)[at(l)] = p.scale * share * p.row(sums, r)[at(l)];
    p.rule.normalize(p.row(p.c, r), p.row(p.a, r));
  }
}

/// y_v = sum_l a_l x_{v,l}.
void sum_layers(const Problem& p, const SetChunk& chunk, ConstMatrixView weights, MatrixView y) {
  simd::for_columns<4>(p.width, [&](auto block, Size column) {
    using Block = decltype(block);
    using V = typename Block::Vector;
    for (Size v = chunk.rows.begin; v < chunk.rows.end; ++v) {
      const Real* a = weights.row(p.row_of(chunk.set, v));
      V sums[Block::count] = {};
      for (Size l = 0; l < p.count(); ++l) {
        const Real* row = p.x[at(l)].row(v) + column;
#pragma GCC unroll 4
        for (Size k = 0; k < Block::count; ++k) sums[k] += a[l] * simd::load<V>(row + k * Block::lanes);
      }
#pragma GCC unroll 4
      for (Size k = 0; k < Block::count; ++k) simd::store(y.row(v) + column + k * Block::lanes, sums[k]);
    }
  });
}

/// Gradients of the scores of one node, scale times the mean's share included: d [rows, L].
MatrixView score_gradients(Tape& tape, const Problem& p, ConstMatrixView da) {
  const ConstMatrixView dsum = *p.dsum;
  const auto g = sums_per_row(tape, p, [&](Size v, double* into) {
    if (dsum.data != nullptr) add_products(p, dsum.row(v), v, into);
  });
  for (Size r = 0; r < p.rows; ++r) {
    for (Size l = 0; l < p.count(); ++l) g[at(r * p.count() + l)] += static_cast<double>(da(r, l));
  }
  if (p.scope == LayerScope::batch) share_over_batch(p, g);
  const MatrixView d = tape.allocate({p.rows, p.count()});
  for (Size r = 0; r < p.rows; ++r) {
    const auto own = p.row(g, r);
    const double share = p.share(r);
    if (share > 0) p.rule.gradient(p.row(p.c, r), p.row(p.a, r), own, own);
    for (Size l = 0; l < p.count(); ++l) d(r, l) = static_cast<Real>(p.scale * share * own[at(l)]);
  }
  return d;
}

/// du_v += sum_l d_l x_{v,l}, dt_v += d.
void add_query_gradients(const Problem& p, const SetChunk& chunk, ConstMatrixView d, MatrixView du,
                         MatrixView dt) {
  for (Size v = chunk.rows.begin; v < chunk.rows.end; ++v) {
    const Real* slopes = d.row(p.row_of(chunk.set, v));
    for (Size l = 0; l < p.count(); ++l) {
      if (du.data != nullptr) add_scaled(slopes[l], p.x[at(l)].row(v), du.row(v), p.width);
      if (dt.data != nullptr) dt(v, l) += slopes[l];
    }
  }
}

/// dx_{v,l} (+)= a_l dsum_v + d_l u_v of one layer.
void write_layer_gradient(const Problem& p, const SetChunk& chunk, Size l, ConstMatrixView weights,
                          ConstMatrixView d, GradSink into) {
  const ConstMatrixView dsum = *p.dsum;
  for (Size v = chunk.rows.begin; v < chunk.rows.end; ++v) {
    const Size r = p.row_of(chunk.set, v);
    Real* __restrict out = into.view.row(v);
    if (into.write == Write::assign) std::fill_n(out, p.width, Real{0});
    if (dsum.data != nullptr) add_scaled(weights(r, l), dsum.row(v), out, p.width);
    if (d.data != nullptr) add_scaled(d(r, l), p.query.value().row(v), out, p.width);
  }
}

void backward(Tape& tape, const Problem& p, ConstMatrixView weights, ConstMatrixView da) {
  const MatrixView d = p.scored() ? score_gradients(tape, p, da) : MatrixView{};
  const auto wanted = [&](Var v) { return v.given() && v.needs_grad() ? tape.grad(v) : MatrixView{}; };
  const MatrixView du = wanted(p.query), dt = wanted(p.offsets);
  const auto sinks = tape.allocate_array<GradSink>(p.count());
  for (std::size_t l = 0; l < p.layers.size(); ++l) {
    sinks[l] = p.layers[l].needs_grad() ? tape.sink(p.layers[l]) : GradSink{};
  }
  SetChunks(tape, p.sets).for_each([&](Size, const SetChunk& chunk) {
    if (du.data != nullptr || dt.data != nullptr) add_query_gradients(p, chunk, d, du, dt);
    for (Size l = 0; l < p.count(); ++l) {
      if (sinks[at(l)].view.data != nullptr) write_layer_gradient(p, chunk, l, weights, d, sinks[at(l)]);
    }
  });
}

Problem make_problem(Tape& tape, const LayerAttentionInput& in) {
  const Size count = static_cast<Size>(in.layers.size());
  const Size nodes = in.sets.num_rows(), rows = in.scope == LayerScope::node ? nodes : in.sets.count();
  Problem p{.layers = tape.allocate_array<Var>(count),
            .x = tape.allocate_array<ConstMatrixView>(count),
            .sets = in.sets,
            .query = in.query,
            .offsets = in.offsets,
            .scale = in.scale,
            .rule = in.weights,
            .scope = in.scope,
            .nodes = nodes,
            .width = in.layers[0].cols(),
            .rows = rows,
            .c = tape.allocate_array<double>(in.query.given() ? rows * count : 0),
            .a = tape.allocate_array<double>(rows * count),
            .dsum = tape.allocate_array<ConstMatrixView>(1).data()};
  for (std::size_t l = 0; l < in.layers.size(); ++l) {
    p.layers[l] = in.layers[l];
    p.x[l] = in.layers[l].value();
  }
  *p.dsum = {};
  return p;
}

}  // namespace

inline namespace TARN_PRECISION {

LayerAttention layer_attention(const LayerAttentionInput& in) {
  Tape& tape = in.layers[0].tape();
  const Problem p = make_problem(tape, in);
  weigh_layers(tape, p);
  const MatrixView weights = tape.allocate({p.rows, p.count()});
  std::transform(p.a.begin(), p.a.end(), weights.data, [](double v) { return static_cast<Real>(v); });
  const MatrixView sum = tape.allocate({p.nodes, p.width});
  SetChunks(tape, p.sets).for_each([&](Size, const SetChunk& chunk) { sum_layers(p, chunk, weights, sum); });

  const auto inputs = tape.allocate_array<Var>(p.count() + 2);
  std::copy(p.layers.begin(), p.layers.end(), inputs.begin());
  inputs[at(p.count())] = p.query;
  inputs[at(p.count() + 1)] = p.offsets;
  // One backward pass for both results, in the closure of the weights, which are recorded first and so come
  // last: the sum leaves its gradient there.
  LayerAttention result{.scores = p.c};
  result.weights = tape.record("layer_attention", {p.rows, p.count()}, weights, std::span<const Var>(inputs),
                               [=, &tape](ConstMatrixView da) { backward(tape, p, weights, da); });
  const Var of_weights = result.weights;
  result.sum =
      tape.record("layer_sum", {p.nodes, p.width}, sum, {of_weights}, [=, &tape](ConstMatrixView dy) {
        *p.dsum = dy;
        (void)tape.grad(of_weights);
      });
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
