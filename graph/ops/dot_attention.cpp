#include "tarn/graph/ops/dot_attention.hpp"

#include "tarn/graph/ops/edge_map.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tarn {

namespace {

/// What both passes share; views and handles by value.
struct DotScores {
  ConstMatrixView query, key, value;
  EdgeMap map;
  Size heads, width;
  Real scale;

  [[nodiscard]] Size features() const { return map.num_features(); }
  /// W^T applied to one head after another of a row [H * C] -> [H, F].
  void contract(const Real* row, Real* out) const {
    for (Size h = 0; h < heads; ++h) {
      for (Size f = 0; f < features(); ++f) {
        out[h * features() + f] = dot(row + h * width, map.rows().row(f) + h * width, width);
      }
    }
  }
  /// row [H * C] += W applied per head to [H, F].
  void expand(const Real* sums, Real* row) const {
    for (Size h = 0; h < heads; ++h) {
      for (Size f = 0; f < features(); ++f) {
        add_scaled(sums[h * features() + f], map.rows().row(f) + h * width, row + h * width, width);
      }
    }
  }
};

/// [H, F] numbers of one node; nothing where there are no features.
class HeadFeatures {
 public:
  explicit HeadFeatures(const DotScores& s) : features_(s.features()), values_(size(s), Real{0}) {}
  HeadFeatures(const DotScores& s, const Real* row) : HeadFeatures(s) { s.contract(row, data()); }
  [[nodiscard]] Real* data() { return values_.data(); }
  [[nodiscard]] const Real* data() const { return values_.data(); }
  [[nodiscard]] Real* head(Size h) { return data() + h * features_; }
  [[nodiscard]] Real dot_with(const Real* a, Size h) const {
    return dot(data() + h * features_, a, features_);
  }

 private:
  static std::size_t size(const DotScores& s) { return static_cast<std::size_t>(s.heads * s.features()); }
  Size features_;
  std::vector<Real> values_;
};

void score_edges_into(const EdgeWeights& w, const DotScores& s, const Adjacency& in, Size i) {
  const HeadFeatures queries(s, s.query.row(i));
  w.for_edges_into(in, i, [&](const AttentionEdge& e) {
    for (Size h = 0; h < s.heads; ++h) {
      Real score = dot(s.query.row(i) + h * s.width, s.key.row(e.source) + h * s.width, s.width);
      if (s.map.given()) score += queries.dot_with(s.map.features(e), h);
      w.weights_of(e)[h] = s.scale * score;
    }
  });
}

void weigh_features(const EdgeWeights& w, const DotScores& s, const Adjacency& in, Size i, Real* y) {
  HeadFeatures sums(s);
  w.for_edges_into(in, i, [&](const AttentionEdge& e) {
    for (Size h = 0; h < s.heads; ++h) {
      add_scaled(w.weights_of(e)[h] * w.kept(e, h), s.map.features(e), sums.head(h), s.features());
    }
  });
  s.expand(sums.data(), y);
}

/// Gradients of the scores of the edges into a node.
void score_gradients(const EdgeWeights& w, const DotScores& s, const Adjacency& in, Size i, const Real* dy,
                     MatrixView ds) {
  weight_gradients_of_node(w, in, s.value, i, dy, ds, {});
  if (s.map.given()) {
    const HeadFeatures above(s, dy);
    w.for_edges_into(in, i, [&](const AttentionEdge& e) {
      for (Size h = 0; h < s.heads; ++h) ds(e.row, h) += w.kept(e, h) * above.dot_with(s.map.features(e), h);
    });
  }
  softmax_gradient_of_node(w, in, i, ds, {});
}

/// Adds the gradient of one query row.
void add_query_gradient(const EdgeWeights& w, const DotScores& s, const Adjacency& in, Size i,
                        ConstMatrixView ds, Real* dq) {
  HeadFeatures sums(s);  // scale * sum ds a
  w.for_edges_into(in, i, [&](const AttentionEdge& e) {
    for (Size h = 0; h < s.heads; ++h) {
      const Real slope = s.scale * ds(e.row, h);
      add_scaled(slope, s.key.row(e.source) + h * s.width, dq + h * s.width, s.width);
      if (s.map.given()) add_scaled(slope, s.map.features(e), sums.head(h), s.features());
    }
  });
  s.expand(sums.data(), dq);
}

/// Gradients of edge features and of the map, which the scores and the values read, for the edges into one
/// node; sum [F, H * C] is that of the map.
void add_map_gradients_of_node(const EdgeWeights& w, const DotScores& s, const Adjacency& in, Size i,
                               ConstMatrixView ds, const Real* dy, const EdgeMap::FeatureGradients& da,
                               double* sum) {
  const HeadFeatures queries(s, s.query.row(i)), above(s, dy);
  HeadFeatures of_scores(s), of_values(s);
  w.for_edges_into(in, i, [&](const AttentionEdge& e) {
    const Real* a = s.map.features(e);
    Real* into = da.of(e);
    for (Size h = 0; h < s.heads; ++h) {
      const Real slope = s.scale * ds(e.row, h), weight = w.weights_of(e)[h] * w.kept(e, h);
      add_scaled(slope, a, of_scores.head(h), s.features());
      add_scaled(weight, a, of_values.head(h), s.features());
      if (into == nullptr) continue;
      add_scaled(slope, queries.data() + h * s.features(), into, s.features());
      add_scaled(weight, above.data() + h * s.features(), into, s.features());
    }
  });
  for (Size f = 0; f < s.features(); ++f) {
    for (Size c = 0; c < s.heads * s.width; ++c) {
      const Size k = c / s.width * s.features() + f;
      *sum++ += static_cast<double>(s.query(i, c) * of_scores.data()[k] + dy[c] * of_values.data()[k]);
    }
  }
}

void add_map_gradients(Tape& tape, const EdgeWeights& w, const DotScores& s, ConstMatrixView ds,
                       ConstMatrixView dy) {
  const EdgeMap::FeatureGradients da = s.map.feature_gradients(tape);
  const Adjacency in = w.graph.incoming();
  const auto sums = sum_over_nodes(in, s.features() * s.heads * s.width, [&](Rows nodes, double* sum) {
    for (Size i = nodes.begin; i < nodes.end; ++i) {
      add_map_gradients_of_node(w, s, in, i, ds, dy.row(i), da, sum);
    }
  });
  s.map.add_weight_gradient(tape, sums.data());
}

void add_key_gradient(const EdgeWeights& w, const DotScores& s, ConstMatrixView ds, MatrixView into) {
  const Adjacency out = w.graph.outgoing();
  for_nodes(out, [&](Size j) {
    w.for_edges_from(out, j, [&](const AttentionEdge& e) {
      for (Size h = 0; h < s.heads; ++h) {
        add_scaled(s.scale * ds(e.row, h), s.query.row(e.target) + h * s.width, into.row(j) + h * s.width,
                   s.width);
      }
    });
  });
}

}  // namespace

inline namespace TARN_PRECISION {

Var dot_attention(const DotAttentionInput& in) {
  Tape& tape = in.query.tape();
  const DotAttentionInput vars = in;
  const Size width = in.query.cols() / in.heads;
  const EdgeWeights w(tape, in.graph, Loops::as_given, in.heads, in.dropout);
  const DotScores s{.query = in.query.value(),
                    .key = in.key.value(),
                    .value = in.value.value(),
                    .map = EdgeMap(tape, in.edge_attr, {}, in.edge_weight),
                    .heads = in.heads,
                    .width = width,
                    .scale = static_cast<Real>(1 / std::sqrt(static_cast<double>(width)))};
  const MatrixView y = tape.allocate(in.value.shape());
  const Adjacency incoming = w.graph.incoming();
  for_node_blocks(incoming, [&](Size begin, Size end) {
    for (Size i = begin; i < end; ++i) score_edges_into(w, s, incoming, i);
    softmax_of_nodes(w, incoming, begin, end);
    for (Size i = begin; i < end; ++i) {
      weigh_rows_of_node(w, incoming, s.value, i, y.row(i));
      if (s.map.given()) weigh_features(w, s, incoming, i, y.row(i));
    }
  });
  return tape.record("dot_attention", in.value.shape(), y,
                     {in.query, in.key, in.value, in.edge_attr, in.edge_weight},
                     [=, &tape](ConstMatrixView dy) {
                       const MatrixView ds = tape.allocate({w.graph.num_edges(), w.heads});
                       const Adjacency into = w.graph.incoming();
                       for_nodes(into, [&](Size i) { score_gradients(w, s, into, i, dy.row(i), ds); });
                       if (vars.query.needs_grad()) {
                         const MatrixView dq = tape.grad(vars.query);
                         for_nodes(into, [&](Size i) { add_query_gradient(w, s, into, i, ds, dq.row(i)); });
                       }
                       if (s.map.given()) add_map_gradients(tape, w, s, ds, dy);
                       if (vars.key.needs_grad()) add_key_gradient(w, s, ds, tape.grad(vars.key));
                       if (vars.value.needs_grad()) add_value_gradient(w, dy, tape.grad(vars.value));
                     });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
