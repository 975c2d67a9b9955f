#include "tarn/graph/ops/aggregate.hpp"

#include "tarn/core/ops/vector.hpp"
#include "tarn/graph/ops/for_nodes.hpp"
#include "tarn/graph/ops/gather.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace tarn {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// One number per edge or node of an optional Var, or null.
const Real* data_of(Var v) {
  return v.given() ? v.value().data : nullptr;
}

bool wants(Var v) {
  return v.given() && v.needs_grad();
}

Var aggregate_max(const Graph& graph, Var x, Var weights) {
  Tape& tape = x.tape();
  const ConstMatrixView in = x.value();
  const Real* w = data_of(weights);
  const MatrixView y = tape.allocate(x.shape());
  // How many edges attain the maximum, per node and channel.
  const MatrixView ties = tape.allocate(x.shape());
  const auto weight_of = [w](Size e) { return w != nullptr ? w[e] : Real{1}; };
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const Rows run = edges.positions(i);
    Real* __restrict best = y.row(i);
    Real* __restrict count = ties.row(i);
    std::fill_n(best, in.cols, run.size() > 0 ? -std::numeric_limits<Real>::infinity() : Real{0});
    std::fill_n(count, in.cols, Real{0});
    for (Size e = run.begin; e < run.end; ++e) {
      const Real* __restrict row = in.row(edges.nodes[at(e)]);
      const Real weight = weight_of(e);
      for (Size c = 0; c < in.cols; ++c) {
        const Real message = weight * row[c];
        // A NaN wins, and then stays.
        const bool better = (message > best[c]) | (message != message);
        count[c] = better ? Real{1} : count[c] + Real(message == best[c]);
        best[c] = better ? message : best[c];
      }
    }
  });
  return tape.record("aggregate_max", x.shape(), y, {x, weights}, [=, &tape](ConstMatrixView dy) {
    const MatrixView shares = tape.allocate(x.shape());  // dy / ties
    for_nodes(graph.incoming(), [&](Size i) {
      for (Size c = 0; c < in.cols; ++c) shares(i, c) = ties(i, c) > 0 ? dy(i, c) / ties(i, c) : Real{0};
    });
    if (wants(weights)) {
      Real* dw = tape.grad(weights).data;
      const Adjacency incoming = graph.incoming();
      for_nodes(incoming, [&](Size i) {
        for (Rows run = incoming.positions(i); run.begin < run.end; ++run.begin) {
          const Real* row = in.row(incoming.nodes[at(run.begin)]);
          double sum = 0;
          for (Size c = 0; c < in.cols; ++c) {
            if (w[run.begin] * row[c] == y(i, c)) sum += static_cast<double>(row[c] * shares(i, c));
          }
          dw[run.begin] += static_cast<Real>(sum);
        }
      });
    }
    if (!x.needs_grad()) return;
    const MatrixView dx = tape.grad(x);
    const Adjacency out = graph.outgoing();
    for_nodes(out, [&](Size j) {
      const Real* __restrict row = in.row(j);
      Real* __restrict into = dx.row(j);
      for (Rows run = out.positions(j); run.begin < run.end; ++run.begin) {
        const Size i = out.nodes[at(run.begin)];
        const Real weight = weight_of(out.edges[at(run.begin)]);
        const Real* __restrict best = y.row(i), * __restrict share = shares.row(i);
        for (Size c = 0; c < in.cols; ++c) {
          const Real passed = weight * share[c];
          into[c] += weight * row[c] == best[c] ? passed : Real{0};
        }
      }
    });
  });
}

/// 1 / max(number of edges into i, 1) of every node.
std::span<const Real> mean_factors(Tape& tape, const Adjacency& edges) {
  const auto factors = tape.allocate_array<Real>(static_cast<Size>(edges.offsets.size()) - 1);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const Size count = edges.positions(static_cast<Size>(i)).size();
    factors[i] = Real(1) / static_cast<Real>(std::max<Size>(count, 1));
  }
  return factors;
}

/// Gradients of what weighs the rows of an edge sum.
void add_factor_gradients(Tape& tape, const EdgeSum& s, ConstMatrixView x, std::span<const Real> scale,
                          ConstMatrixView dy) {
  const auto product = [&](Size i, Size j) { return dot(dy.row(i), x.row(j), x.cols); };
  const Adjacency incoming = s.graph.incoming();
  if (wants(s.weights)) {
    Real* dw = tape.grad(s.weights).data;
    for_nodes(incoming, [&](Size i) {
      const Real factor = scale.empty() ? Real{1} : scale[at(i)];
      for (Rows run = incoming.positions(i); run.begin < run.end; ++run.begin) {
        dw[run.begin] += factor * product(i, incoming.nodes[at(run.begin)]);
      }
    });
  }
  if (wants(s.loop_weights)) {
    Real* dl = tape.grad(s.loop_weights).data;
    for_nodes(incoming, [&](Size i) { dl[i] += product(i, i); });
  }
  if (wants(s.centre)) {
    constexpr Size rows_per_block = 256;
    const double sum = sum_blocks(dy.rows, rows_per_block, [&](Size begin, Size end) {
      double part = 0;
      for (Size i = begin; i < end; ++i) part += static_cast<double>(product(i, i));
      return part;
    });
    tape.grad(s.centre).data[0] += static_cast<Real>(sum);
  }
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

/// Gradients of weight [D, F] and bias [D], where they are wanted.
void add_map_gradients(const Message& m, const Adjacency& edges, ConstMatrixView dy, MatrixView dw,
                       MatrixView db) {
  const Size features = m.attr.cols, columns = features + 1;
  const auto sums = sum_over_nodes(edges, m.x.cols * columns, [&](Rows nodes, double* sum) {
    for (Size i = nodes.begin; i < nodes.end; ++i) {
      for_message_gradients(m, edges, i, dy.row(i), [&](Size e, Size c, Real g) {
        for (Size f = 0; f < features; ++f) sum[c * columns + f] += static_cast<double>(g * m.attr(e, f));
        sum[c * columns + features] += static_cast<double>(g);
      });
    }
  });
  for (Size c = 0; c < m.x.cols; ++c) {
    const double* sum = sums.data() + c * columns;
    for (Size f = 0; f < features && dw.data != nullptr; ++f) dw(c, f) += static_cast<Real>(sum[f]);
    if (db.data != nullptr) db.data[c] += static_cast<Real>(sum[features]);
  }
}

}  // namespace

inline namespace TARN_PRECISION {

Var edge_sum(const EdgeSum& in) {
  const EdgeSum s = in;
  assert((s.roots.empty() || (!s.weights.given() && s.how == Aggregate::sum)) && "roots go with plain sums");
  Tape& tape = s.x.tape();
  const ConstMatrixView x = s.x.value();
  const Adjacency incoming = s.graph.incoming();
  const std::span<const Real> scale =
      s.how == Aggregate::mean ? mean_factors(tape, incoming) : std::span<const Real>{};
  const RowGather forward{.edges = incoming,
                          .x = x,
                          .weights = data_of(s.weights),
                          .other_factors = s.roots.data(),
                          .scales = s.roots.empty() ? scale.data() : s.roots.data(),
                          .own_weights = data_of(s.loop_weights),
                          .own_weight = s.centre.given() ? 1 + s.centre.value().data[0] : Real{0}};
  const MatrixView y = tape.allocate(s.x.shape());
  gather_rows(forward, y, Write::assign);
  return tape.record("edge_sum", s.x.shape(), y, {s.x, s.weights, s.loop_weights, s.centre},
                     [=, &tape](ConstMatrixView dy) {
                       add_factor_gradients(tape, s, x, scale, dy);
                       if (!s.x.needs_grad()) return;
                       RowGather backward = forward;
                       backward.edges = s.graph.outgoing();
                       backward.x = dy;
                       std::swap(backward.scales, backward.other_factors);
                       const GradSink dx = tape.sink(s.x);
                       gather_rows(backward, dx.view, dx.write);
                     });
}

Var aggregate(const Graph& graph, Var x, Aggregate how, Var weights) {
  if (how == Aggregate::max) return aggregate_max(graph, x, weights);
  return edge_sum({.graph = graph, .x = x, .weights = weights, .how = how});
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
