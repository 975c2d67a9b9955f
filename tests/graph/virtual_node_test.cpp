#include "tarn/graph/virtual_node.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/per_set.hpp"

#include "module_walk.hpp"

#include <array>

using namespace tarn;
using namespace tarn::test;

namespace {

const Segments sets({0, 3, 3, 5});

struct Outputs {
  std::vector<Real> y, state;
};

Outputs run(VirtualNode& node, const Tensor& x, const Tensor& state, const Segments& over, Pass pass = {}) {
  Tape tape;
  tape.reset(pass);
  const Var s = tape.input(state), y = node.read(tape.input(x), s, over);
  return {numbers(y.value()), numbers(node.write(y, s, over).value())};
}

VirtualNodeOptions plain_options() {
  return {.channels = 4, .norm = VirtualNodeNorm::none};
}

}  // namespace

TEST_CASE("a virtual node's state joins its graph alone, and an empty graph's state still moves",
          "[graph][virtual-node]") {
  VirtualNode node(plain_options());
  node.init(Rng(1));
  const Tensor x = random_tensor({5, 4}, Rng(2)), state = random_tensor({3, 4}, Rng(3));
  const Outputs together = run(node, x, state, sets);
  CHECK(together.y[0] == x.data()[0] + state.data()[0]);
  for (Size b = 0; b < sets.count(); ++b) {
    const Rows rows = sets.rows(b);
    Tensor part({rows.size(), 4}), own({1, 4});
    std::copy_n(x.matrix().row(rows.begin), part.size(), part.data());
    std::copy_n(state.matrix().row(b), 4, own.data());
    const Outputs alone = run(node, part, own, Segments::uniform(1, rows.size()));
    check_close(alone.state, std::span(together.state).subspan(static_cast<std::size_t>(4 * b), 4));
  }
  CHECK(std::any_of(together.state.begin() + 4, together.state.begin() + 8, [](Real v) { return v != 0; }));
}

TEST_CASE("a residual virtual node adds to its state, with dropout on the new part alone",
          "[graph][virtual-node]") {
  VirtualNodeOptions options = plain_options();
  options.residual = true;
  options.dropout = 0.999;
  VirtualNode node(options);
  node.init(Rng(1));
  const Tensor x = random_tensor({5, 4}, Rng(2)), state = random_tensor({3, 4}, Rng(3));
  const Outputs dropped = run(node, x, state, sets, {.training = true, .rng = Rng(4)});
  CHECK(dropped.state == numbers(state.matrix()));
  CHECK(run(node, x, state, sets).state != numbers(state.matrix()));
}

TEST_CASE("a virtual node refuses what does not fit, and to train one graph with batch norm",
          "[graph][virtual-node][errors]") {
  VirtualNode node({.channels = 4});
  const Tensor x({5, 4}), state({3, 4}), narrow({5, 3}), few({2, 4});
  CHECK_THROWS_WITH(run(node, narrow, state, sets), "virtual-node: x is [5, 3]; expected width 4 (channels)");
  CHECK_THROWS_WITH(run(node, x, few, sets), "virtual-node: state is [2, 4] for 3 graphs; expected [3, 4]");
  CHECK_THROWS_WITH(
      run(node, x, Tensor({1, 4}), Segments::uniform(1, 5), {.training = true}),
      "virtual-node: a training batch of one row; expected at least two (statistics over the batch)");
}

TEST_CASE("virtual nodes become real ones at the end of each graph", "[graph][virtual-node]") {
  const Graph graph = Graph::from_edges(5, std::vector<NodeId>{0, 1, 4}, std::vector<NodeId>{1, 2, 3});
  const std::vector<NodeId> types{0, 3, 1};  // edges are in canonical order as they stand
  const WithVirtualNodes grown = add_virtual_nodes(graph, sets, types);
  CHECK(std::vector<Size>(grown.sets.offsets().begin(), grown.sets.offsets().end()) ==
        std::vector<Size>{0, 4, 5, 8});
  REQUIRE(grown.graph.num_nodes() == 8);
  REQUIRE(grown.graph.num_edges() == 3 + 2 * 5);
  std::vector<std::array<Size, 3>> edges;
  const Adjacency in = grown.graph.incoming();
  for (Size i = 0; i < 8; ++i) {
    for (Size e = in.positions(i).begin; e < in.positions(i).end; ++e) {
      const auto at = static_cast<std::size_t>(e);
      edges.push_back({in.nodes[at], i, grown.edge_types[at]});
    }
  }
  // Graph 0 has nodes 0 to 2 and node 3 for all of them, the empty one node 4, the last 5, 6 and 7.
  const std::vector<std::array<Size, 3>> expected{{3, 0, 5}, {0, 1, 0}, {3, 1, 5}, {1, 2, 3}, {3, 2, 5},
                                                  {0, 3, 4}, {1, 3, 4}, {2, 3, 4}, {6, 5, 1}, {7, 5, 5},
                                                  {7, 6, 5}, {5, 7, 4}, {6, 7, 4}};
  CHECK(edges == expected);
}

TEST_CASE("a graph without edges has virtual edges of types 0 and 1", "[graph][virtual-node]") {
  const WithVirtualNodes grown = add_virtual_nodes(Graph::from_edges(1, {}, {}), Segments::uniform(1, 1));
  CHECK(grown.edge_types == std::vector<NodeId>{1, 0});
}

TEST_CASE("virtual nodes refuse types that do not fit and edges between graphs",
          "[graph][virtual-node][errors]") {
  const Graph graph = Graph::from_edges(2, std::vector<NodeId>{0}, std::vector<NodeId>{1});
  const Segments one = Segments::uniform(1, 2);
  CHECK_THROWS_WITH(add_virtual_nodes(graph, one, std::vector<NodeId>{0, 0}),
                    "virtual-node: 2 edge types for 1 edges; expected one each");
  CHECK_THROWS_WITH(add_virtual_nodes(graph, one, std::vector<NodeId>{-1}),
                    "virtual-node: edge 0 has type -1; expected at least 0");
  CHECK_THROWS_AS(add_virtual_nodes(graph, Segments::uniform(2, 1)), ValueError);
}

#if TARN_DOUBLE
TEST_CASE("gradients of a virtual node agree with central differences", "[graph][virtual-node][gradients]") {
  for (const VirtualNodeNorm norm : {VirtualNodeNorm::none, VirtualNodeNorm::batch_norm}) {
    VirtualNode node({.channels = 4, .norm = norm, .residual = true});
    for (Parameter* p : node.parameters()) p->value = random_tensor(p->value.shape(), Rng(5));
    Tensor x = random_tensor({5, 4}, Rng(2)), state = random_tensor({3, 4}, Rng(3));
    check_gradients(node, std::vector{&x, &state}, true, [&](Tape&, std::span<const Var> in) {
      const Var y = node.read(in[0], in[1], sets);
      return add_per_set(y, node.write(y, in[1], sets), sets);
    });
  }
}
#endif
