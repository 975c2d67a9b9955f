#include "tarn/graph/ops/edge_data.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/ops/for_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace tarn {

namespace {

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

/// Of several loops the last listed one counts: the highest place in the given order.
Size last_loop(const Graph& graph, const Adjacency& edges, Size i) {
  const auto given = graph.given_order();
  Size found = -1;
  const Rows run = edges.positions(i);
  for (Size e = run.begin; e < run.end; ++e) {
    if (edges.nodes[at(e)] != i) continue;
    if (found < 0 || given.empty() || given[at(e)] > given[at(found)]) found = e;
  }
  return found;
}

Var extreme_loop_attributes(const Graph& graph, Var edge_attr, bool largest) {
  Tape& tape = edge_attr.tape();
  const ConstMatrixView attr = edge_attr.value();
  const Shape shape{graph.num_nodes(), attr.cols};
  const MatrixView y = tape.allocate(shape);
  const auto winner = tape.allocate_array<Size>(shape.count());
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const Rows run = edges.positions(i);
    for (Size f = 0; f < attr.cols; ++f) {
      Size best = -1;
      for (Size e = run.begin; e < run.end; ++e) {
        if (edges.nodes[at(e)] == i) continue;
        const bool better = best < 0 || (largest ? attr(e, f) > attr(best, f) : attr(e, f) < attr(best, f));
        if (better) best = e;
      }
      winner[at(i * attr.cols + f)] = best;
      y(i, f) = best < 0 ? Real{0} : attr(best, f);
    }
  });
  return tape.record("loop_attributes", shape, y, {edge_attr}, [=, &tape](ConstMatrixView dy) {
    const MatrixView da = tape.grad(edge_attr);
    for (Size i = 0; i < dy.rows; ++i) {
      for (Size f = 0; f < dy.cols; ++f) {
        const Size e = winner[at(i * dy.cols + f)];
        if (e >= 0) da(e, f) += dy(i, f);
      }
    }
  });
}

/// Weights and degrees behind the normalisation; spans live on the tape.
struct Degrees {
  Graph graph;
  bool add_loops;
  const Real* weight;              // [E] or null: ones
  std::span<Size> loop_edge;       // [N] the listed loop that counts, or -1
  std::span<double> inverse_root;  // [N] r
  std::span<double> loop;          // [N] weight of the loop

  [[nodiscard]] double of(Size e) const { return weight != nullptr ? static_cast<double>(weight[e]) : 1.0; }
  [[nodiscard]] bool replaced(Size j, Size i) const { return add_loops && j == i; }
};

Degrees measure_degrees(Tape& tape, const Graph& graph, const Real* weight, bool add_loops,
                        double loop_weight) {
  const Size n = graph.num_nodes();
  Degrees d{graph,
            add_loops,
            weight,
            tape.allocate_array<Size>(n),
            tape.allocate_array<double>(n),
            tape.allocate_array<double>(n)};
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    d.loop_edge[at(i)] = add_loops ? last_loop(graph, edges, i) : -1;
    d.loop[at(i)] = !add_loops ? 0 : d.loop_edge[at(i)] >= 0 ? d.of(d.loop_edge[at(i)]) : loop_weight;
    double degree = d.loop[at(i)];
    const Rows run = edges.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      if (!d.replaced(edges.nodes[at(e)], i)) degree += d.of(e);
    }
    if (degree < 0) {
      throw ValueError(fmt::format("gcn: node {} has weighted degree {}; expected at least 0", i, degree));
    }
    d.inverse_root[at(i)] = degree > 0 ? 1 / std::sqrt(degree) : 0;
  });
  return d;
}

bool has_loops(const Graph& graph) {
  const Adjacency edges = graph.incoming();
  std::atomic<bool> found = false;
  for_node_blocks(edges, [&](Size begin, Size end) {
    bool any = false;
    for (Size i = begin; i < end; ++i) {
      const Rows run = edges.positions(i);
      for (Size e = run.begin; e < run.end; ++e) any |= edges.nodes[at(e)] == i;
    }
    if (any) found = true;
  });
  return found;
}

/// Every edge weighs one, and loops of `loop_weight` stand beside them where asked for.
GcnWeights plain_gcn_weights(Tape& tape, const Graph& graph, bool add_loops, double loop_weight) {
  const Size n = graph.num_nodes();
  const auto roots = tape.allocate_array<Real>(n);
  const MatrixView loops = tape.allocate({n});
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const double degree = static_cast<double>(edges.positions(i).size()) + (add_loops ? loop_weight : 0);
    roots[at(i)] = degree > 0 ? static_cast<Real>(1 / std::sqrt(degree)) : Real{0};
    loops.data[i] = degree > 0 ? static_cast<Real>(loop_weight / degree) : Real{0};
  });
  return {{}, add_loops ? tape.input(loops, {n}) : Var{}, roots};
}

/// dL/dw of every edge, given g = dL/d(normalised weight) of edges and loops: the direct term, and the term
/// through the degree of its target, -1/2 r_i^2 times the sum of g * normalised weight over everything that
/// r_i enters.
void add_weight_gradients(const Degrees& d, const Real* g_edges, const Real* g_loops, Real* dw) {
  const Adjacency in = d.graph.incoming(), out = d.graph.outgoing();
  for_nodes(in, [&](Size i) {
    const double r = d.inverse_root[at(i)];
    double through = 0;
    const auto add = [&](Size e, Size other) {
      if (g_edges != nullptr)
        through += static_cast<double>(g_edges[e]) * d.of(e) * r * d.inverse_root[at(other)];
    };
    for (Rows run = in.positions(i); run.begin < run.end; ++run.begin) {
      const Size j = in.nodes[at(run.begin)];
      if (!d.replaced(j, i)) add(run.begin, j);
    }
    for (Rows run = out.positions(i); run.begin < run.end; ++run.begin) {
      const Size k = out.nodes[at(run.begin)];
      if (!d.replaced(i, k)) add(out.edges[at(run.begin)], k);
    }
    if (g_loops != nullptr) through += 2 * static_cast<double>(g_loops[i]) * d.loop[at(i)] * r * r;
    const double degree_term = -0.5 * r * r * through;
    for (Rows run = in.positions(i); run.begin < run.end; ++run.begin) {
      const Size j = in.nodes[at(run.begin)];
      if (d.replaced(j, i)) continue;
      const double direct =
          g_edges != nullptr ? static_cast<double>(g_edges[run.begin]) * r * d.inverse_root[at(j)] : 0;
      dw[run.begin] += static_cast<Real>(direct + degree_term);
    }
    if (d.loop_edge[at(i)] >= 0) {
      const double direct = g_loops != nullptr ? static_cast<double>(g_loops[i]) * r * r : 0;
      dw[d.loop_edge[at(i)]] += static_cast<Real>(direct + degree_term);
    }
  });
}

}  // namespace

LoopRule loop_rule(const Value& fill_value) {
  const std::string* name = fill_value.string();
  if (name == nullptr) return {LoopFill::value, fill_value.number().value_or(0)};
  if (*name == "sum") return {LoopFill::sum};
  if (*name == "max") return {LoopFill::max};
  return {*name == "min" ? LoopFill::min : LoopFill::mean};
}

inline namespace TARN_PRECISION {

Var loop_attributes(const Graph& graph, Var edge_attr, const LoopRule& rule) {
  const LoopFill fill = rule.fill;
  const double value = rule.value;
  if (fill == LoopFill::max || fill == LoopFill::min) {
    return extreme_loop_attributes(graph, edge_attr, fill == LoopFill::max);
  }
  Tape& tape = edge_attr.tape();
  const ConstMatrixView attr = edge_attr.value();
  const Shape shape{graph.num_nodes(), attr.cols};
  const MatrixView y = tape.allocate(shape);
  const auto shares = tape.allocate_array<Real>(graph.num_nodes());
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    std::fill_n(y.row(i), attr.cols, fill == LoopFill::value ? static_cast<Real>(value) : Real{0});
    const Rows run = edges.positions(i);
    Size count = 0;
    for (Size e = run.begin; e < run.end; ++e) count += edges.nodes[at(e)] != i;
    const bool constant_loop = fill == LoopFill::value || count == 0;
    shares[at(i)] = constant_loop           ? Real{0}
                    : fill == LoopFill::sum ? Real{1}
                                            : Real(1.0 / static_cast<double>(count));
    for (Size e = run.begin; e < run.end && !constant_loop; ++e) {
      if (edges.nodes[at(e)] == i) continue;
      for (Size f = 0; f < attr.cols; ++f) y(i, f) += shares[at(i)] * attr(e, f);
    }
  });
  return tape.record("loop_attributes", shape, y, {edge_attr}, [=, &tape](ConstMatrixView dy) {
    const MatrixView da = tape.grad(edge_attr);
    const Adjacency incoming = graph.incoming();
    for_nodes(incoming, [&](Size i) {
      const Rows run = incoming.positions(i);
      for (Size e = run.begin; e < run.end; ++e) {
        if (incoming.nodes[at(e)] == i) continue;
        for (Size f = 0; f < dy.cols; ++f) da(e, f) += shares[at(i)] * dy(i, f);
      }
    });
  });
}

Var canonical_edge_attr(const Graph& graph, Var given) {
  const auto order = graph.given_order();
  if (order.empty()) return given;
  Tape& tape = given.tape();
  const Shape shape = given.shape();
  const Size width = shape.rank() > 1 ? shape.cols() : 1;
  const Real* in = given.value().data;
  const MatrixView y = tape.allocate(shape);
  for (std::size_t e = 0; e < order.size(); ++e) {
    std::copy_n(in + order[e] * width, width, y.data + static_cast<Size>(e) * width);
  }
  return tape.record("canonical_edge_attr", shape, y, {given}, [=, &tape](ConstMatrixView dy) {
    Real* into = tape.grad(given).data;
    const auto places = graph.given_order();
    for (std::size_t e = 0; e < places.size(); ++e) {
      for (Size f = 0; f < width; ++f)
        into[places[e] * width + f] += dy.data[static_cast<Size>(e) * width + f];
    }
  });
}

GcnWeights gcn_weights(Tape& tape, const Graph& graph, Var edge_weight, bool add_loops, double loop_weight) {
  if (!edge_weight.given() && !(add_loops && has_loops(graph))) {
    return plain_gcn_weights(tape, graph, add_loops, loop_weight);
  }
  const Real* weight = edge_weight.given() ? edge_weight.value().data : nullptr;
  const Degrees d = measure_degrees(tape, graph, weight, add_loops, loop_weight);
  const MatrixView on_edges = tape.allocate({graph.num_edges()});
  const MatrixView on_loops = tape.allocate({graph.num_nodes()});
  const Adjacency edges = graph.incoming();
  for_nodes(edges, [&](Size i) {
    const double r = d.inverse_root[at(i)];
    const Rows run = edges.positions(i);
    for (Size e = run.begin; e < run.end; ++e) {
      const Size j = edges.nodes[at(e)];
      on_edges.data[e] = d.replaced(j, i) ? Real{0} : static_cast<Real>(r * d.of(e) * d.inverse_root[at(j)]);
    }
    on_loops.data[i] = static_cast<Real>(r * d.loop[at(i)] * r);
  });
  GcnWeights result;
  result.edges =
      tape.record("gcn_weights", {graph.num_edges()}, on_edges, {edge_weight}, [=, &tape](ConstMatrixView g) {
        add_weight_gradients(d, g.data, nullptr, tape.grad(edge_weight).data);
      });
  if (add_loops) {
    result.loops = tape.record("gcn_weights", {graph.num_nodes()}, on_loops, {edge_weight},
                               [=, &tape](ConstMatrixView g) {
                                 add_weight_gradients(d, nullptr, g.data, tape.grad(edge_weight).data);
                               });
  }
  return result;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
