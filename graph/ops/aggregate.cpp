#include "tarn/graph/ops/aggregate.hpp"

#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tarn {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

Var aggregate_max(const Graph& graph, Var x) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const MatrixView y = tape.allocate(x.shape());
  // How many edges attain the maximum, per node and channel.
  const MatrixView ties = tape.allocate(x.shape());
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const Rows run = edges.positions(i);
    std::fill_n(y.row(i), in.cols, run.size() > 0 ? -std::numeric_limits<Real>::infinity() : Real{0});
    std::fill_n(ties.row(i), in.cols, Real{0});
    for (Size e = run.begin; e < run.end; ++e) {
      const Real* row = in.row(edges.nodes[at(e)]);
      for (Size c = 0; c < in.cols; ++c) {
        if (row[c] > y(i, c) || std::isnan(row[c])) {
          y(i, c) = row[c];
          ties(i, c) = 0;
        }
        ties(i, c) += Real(row[c] == y(i, c));
      }
    }
  });
  return tape.record("aggregate_max", x.shape(), y, {x}, [=, &tape](ConstMatrixView dy) {
    const MatrixView dx = tape.grad(x);
    const Adjacency out = graph.outgoing();
    for_nodes(out, [&](Size j) {
      const Rows run = out.positions(j);
      for (Size p = run.begin; p < run.end; ++p) {
        const Size i = out.nodes[at(p)];
        for (Size c = 0; c < in.cols; ++c) {
          if (in(j, c) == y(i, c)) dx(j, c) += dy(i, c) / ties(i, c);
        }
      }
    });
  });
}

Var aggregate_mean(const Graph& graph, Var x) {
  Tape& tape = x.tape();
  const MatrixView shares = tape.allocate({graph.num_edges()});
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const Rows run = edges.positions(i);
    for (Size e = run.begin; e < run.end; ++e) shares.data[e] = Real(1.0 / static_cast<double>(run.size()));
  });
  return weighted_sum(graph, x, tape.input(shares, {graph.num_edges()}));
}

/// One message's value before the relu, of one channel: x_j + l(a_e).
struct Message {
  ConstMatrixView x, attr, weight;
  const Real* bias;
  [[nodiscard]] Real before(Size j, Size e, Size c) const {
    if (weight.data == nullptr) return x(j, c) + attr(e, c);
    Real sum = x(j, c) + bias[c];
    for (Size f = 0; f < attr.cols; ++f) sum += weight(c, f) * attr(e, f);
    return sum;
  }
};

/// d[e] = dy_i where the message of e is positive, handed to `use(e, channel, gradient)` for every edge into
/// i.
template <class Use>
void for_message_gradients(const Message& m, const Adjacency& edges, Size i, const Real* dy, Use use) {
  const Rows run = edges.positions(i);
  for (Size e = run.begin; e < run.end; ++e) {
    const Size j = edges.nodes[at(e)];
    for (Size c = 0; c < m.x.cols; ++c) {
      if (m.before(j, e, c) > 0) use(e, c, dy[c]);
    }
  }
}

/// Gradients of weight [D, F] and bias [D]: sums over fixed blocks of targets, joined in order.
void add_map_gradients(const Message& m, const Adjacency& edges, ConstMatrixView dy, MatrixView dw,
                       MatrixView db) {
  constexpr Size nodes_per_block = 512;
  const Size features = m.attr.cols, width = m.x.cols, columns = features + 1;
  const Size blocks = (dy.rows + nodes_per_block - 1) / nodes_per_block;
  std::vector<double> partial(at(blocks * width * columns), 0.0);
  for_blocks(dy.rows, nodes_per_block, [&](Size begin, Size end) {
    double* sum = partial.data() + begin / nodes_per_block * width * columns;
    for (Size i = begin; i < end; ++i) {
      for_message_gradients(m, edges, i, dy.row(i), [&](Size e, Size c, Real g) {
        for (Size f = 0; f < features; ++f) sum[c * columns + f] += static_cast<double>(g * m.attr(e, f));
        sum[c * columns + features] += static_cast<double>(g);
      });
    }
  });
  for (Size b = 0; b < blocks; ++b) {
    for (Size c = 0; c < width; ++c) {
      const double* sum = partial.data() + (b * width + c) * columns;
      for (Size f = 0; f < features && dw.data != nullptr; ++f) dw(c, f) += static_cast<Real>(sum[f]);
      if (db.data != nullptr) db.data[c] += static_cast<Real>(sum[features]);
    }
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var aggregate(const Graph& graph, Var x, Aggregate how) {
  if (how == Aggregate::max) return aggregate_max(graph, x);
  return how == Aggregate::mean ? aggregate_mean(graph, x) : weighted_sum(graph, x, {});
}

Var weighted_sum(const Graph& graph, Var x, Var weights, Var loop_weights) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real* w = weights.given() ? weights.value().data : nullptr;
  const Real* loop = loop_weights.given() ? loop_weights.value().data : nullptr;
  const MatrixView y = tape.allocate(x.shape());
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    std::fill_n(y.row(i), in.cols, Real{0});
    const Rows run = edges.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      const Real factor = w != nullptr ? w[e] : Real{1};
      if (factor != 0) add_scaled(factor, in.row(edges.nodes[at(e)]), y.row(i), in.cols);
    }
    if (loop != nullptr) add_scaled(loop[i], in.row(i), y.row(i), in.cols);
  });
  return tape.record(
      "weighted_sum", x.shape(), y, {x, weights, loop_weights}, [=, &tape](ConstMatrixView dy) {
        const auto product = [&](Size i, Size j) { return dot(dy.row(i), in.row(j), in.cols); };
        const Adjacency incoming = graph.incoming();
        if (weights.given() && weights.needs_grad()) {
          Real* dw = tape.grad(weights).data;
          for_nodes(incoming, [&](Size i) {
            const Rows run = incoming.positions(i);
            for (Size e = run.begin; e < run.end; ++e) dw[e] += product(i, incoming.nodes[at(e)]);
          });
        }
        if (loop_weights.given() && loop_weights.needs_grad()) {
          Real* dl = tape.grad(loop_weights).data;
          for_nodes(incoming, [&](Size i) { dl[i] += product(i, i); });
        }
        if (!x.needs_grad()) return;
        const MatrixView dx = tape.grad(x);
        const Adjacency out = graph.outgoing();
        for_nodes(out, [&](Size j) {
          const Rows run = out.positions(j);
          for (Size p = run.begin; p < run.end; ++p) {
            const Real factor = w != nullptr ? w[out.edges[at(p)]] : Real{1};
            if (factor != 0) add_scaled(factor, dy.row(out.nodes[at(p)]), dx.row(j), in.cols);
          }
          if (loop != nullptr) add_scaled(loop[j], dy.row(j), dx.row(j), in.cols);
        });
      });
}

Var edge_message_sum(const Graph& graph, Var x, Var edge_attr, Var weight, Var bias) {
  Tape& tape = x.tape();
  const Message m{x.value(), edge_attr.value(), weight.given() ? weight.value() : ConstMatrixView{},
                  bias.given() ? bias.value().data : nullptr};
  const MatrixView y = tape.allocate(x.shape());
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    std::fill_n(y.row(i), m.x.cols, Real{0});
    const Rows run = edges.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = edges.nodes[at(e)];
      for (Size c = 0; c < m.x.cols; ++c) {
        const Real v = m.before(j, e, c);
        y(i, c) += v < 0 ? Real{0} : v;
      }
    }
  });
  return tape.record(
      "edge_message_sum", x.shape(), y, {x, edge_attr, weight, bias}, [=, &tape](ConstMatrixView dy) {
        const Adjacency incoming = graph.incoming();
        if (edge_attr.needs_grad()) {
          const MatrixView da = tape.grad(edge_attr);
          for_nodes(incoming, [&](Size i) {
            for_message_gradients(m, incoming, i, dy.row(i), [&](Size e, Size c, Real g) {
              if (m.weight.data == nullptr) {
                da(e, c) += g;
              } else {
                add_scaled(g, m.weight.row(c), da.row(e), m.attr.cols);
              }
            });
          });
        }
        const bool maps = weight.given() && (weight.needs_grad() || bias.needs_grad());
        if (maps) {
          add_map_gradients(m, incoming, dy, weight.needs_grad() ? tape.grad(weight) : MatrixView{},
                            bias.needs_grad() ? tape.grad(bias) : MatrixView{});
        }
        if (!x.needs_grad()) return;
        const MatrixView dx = tape.grad(x);
        const Adjacency out = graph.outgoing();
        for_nodes(out, [&](Size j) {
          const Rows run = out.positions(j);
          for (Size p = run.begin; p < run.end; ++p) {
            const Size i = out.nodes[at(p)];
            for (Size c = 0; c < m.x.cols; ++c) {
              if (m.before(j, out.edges[at(p)], c) > 0) dx(j, c) += dy(i, c);
            }
          }
        });
      });
}

}  // namespace TARN_PRECISION
}  // namespace tarn
