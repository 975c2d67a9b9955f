#include "tarn/graph/graph.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace tarn;
using Catch::Matchers::Message;

namespace {

std::vector<NodeId> ids(std::span<const NodeId> list) {
  return {list.begin(), list.end()};
}
std::vector<Size> sizes(std::span<const Size> list) {
  return {list.begin(), list.end()};
}

/// 1 -> 0 twice, 2 -> 0, 0 -> 2, a loop at 1; node 3 stands alone.
Graph sample() {
  const std::vector<NodeId> from{2, 1, 0, 1, 1};
  const std::vector<NodeId> to{0, 0, 2, 1, 0};
  return Graph::from_edges(4, from, to);
}

void check_equal(const Graph& a, const Graph& b) {
  CHECK(sizes(a.incoming().offsets) == sizes(b.incoming().offsets));
  CHECK(ids(a.incoming().nodes) == ids(b.incoming().nodes));
  CHECK(ids(a.incoming().edges) == ids(b.incoming().edges));
  CHECK(sizes(a.outgoing().offsets) == sizes(b.outgoing().offsets));
  CHECK(ids(a.outgoing().nodes) == ids(b.outgoing().nodes));
  CHECK(ids(a.outgoing().edges) == ids(b.outgoing().edges));
}

/// A ring over n nodes in both directions, as symmetric rows.
Graph ring(Size n) {
  std::vector<Size> offsets{0};
  std::vector<NodeId> nodes;
  for (Size i = 0; i < n; ++i) {
    const auto before = static_cast<NodeId>((i + n - 1) % n);
    const auto after = static_cast<NodeId>((i + 1) % n);
    nodes.push_back(std::min(before, after));
    nodes.push_back(std::max(before, after));
    offsets.push_back(static_cast<Size>(nodes.size()));
  }
  return Graph::from_symmetric_csr(std::move(offsets), std::move(nodes));
}

Graph from_lists(const Graph& graph) {
  return Graph::from_edges(graph.num_nodes(), graph.sources(), graph.targets());
}

}  // namespace

TEST_CASE("edges stand by target, then source, then as given", "[graph]") {
  const Graph g = sample();
  CHECK(g.num_nodes() == 4);
  CHECK(g.num_edges() == 5);
  CHECK(sizes(g.incoming().offsets) == std::vector<Size>{0, 3, 4, 5, 5});
  CHECK(ids(g.incoming().nodes) == std::vector<NodeId>{1, 1, 2, 1, 0});
  CHECK(ids(g.incoming().edges) == std::vector<NodeId>{0, 1, 2, 3, 4});
  CHECK(ids(g.given_order()) == std::vector<NodeId>{1, 4, 0, 3, 2});
  CHECK(g.targets() == std::vector<NodeId>{0, 0, 0, 1, 2});
}

TEST_CASE("outgoing rows are sorted by target and name canonical edges", "[graph]") {
  const Graph g = sample();
  CHECK(sizes(g.outgoing().offsets) == std::vector<Size>{0, 1, 4, 5, 5});
  CHECK(ids(g.outgoing().nodes) == std::vector<NodeId>{2, 0, 0, 1, 0});
  CHECK(ids(g.outgoing().edges) == std::vector<NodeId>{4, 0, 1, 3, 2});
}

TEST_CASE("a symmetric graph has the directions that its edge lists give", "[graph]") {
  const Graph g = ring(7);
  CHECK(g.known_symmetric());
  check_equal(g, from_lists(g));
}

TEST_CASE("the outgoing direction may be asked for by several threads at once", "[graph]") {
  const Graph g = ring(1000);
  std::vector<std::jthread> threads;
  std::vector<const NodeId*> seen(4);
  for (std::size_t t = 0; t < seen.size(); ++t)
    threads.emplace_back([&, t] { seen[t] = g.outgoing().edges.data(); });
  threads.clear();
  for (const NodeId* edges : seen) CHECK(edges == g.outgoing().edges.data());
}

TEST_CASE("a graph without nodes or edges has empty rows", "[graph]") {
  CHECK(Graph().num_nodes() == 0);
  CHECK(Graph().incoming().edges.empty());
  const Graph g = Graph::from_edges(3, {}, {});
  CHECK(sizes(g.incoming().offsets) == std::vector<Size>{0, 0, 0, 0});
  CHECK(sizes(g.outgoing().offsets) == std::vector<Size>{0, 0, 0, 0});
}

TEST_CASE("joined graphs stand block by block", "[graph]") {
  const std::vector<Graph> parts{ring(3), Graph(), sample(), Graph::from_edges(2, {}, {}), ring(4)};
  std::vector<NodeId> from, to;
  NodeId first = 0;
  for (const Graph& part : parts) {
    for (const NodeId source : part.sources()) from.push_back(source + first);
    for (const NodeId target : part.targets()) to.push_back(target + first);
    first += static_cast<NodeId>(part.num_nodes());
  }
  const Graph joined = Graph::join(parts);
  CHECK_FALSE(joined.known_symmetric());
  check_equal(joined, Graph::from_edges(first, from, to));
  const std::vector<Graph> rings{ring(3), ring(5)};
  CHECK(Graph::join(rings).known_symmetric());
  check_equal(Graph::join(rings), from_lists(Graph::join(rings)));
  CHECK(Graph::join({}).num_nodes() == 0);
}

TEST_CASE("a joiner uses the arrays of a dropped graph again", "[graph]") {
  GraphJoiner joiner;
  const std::vector<Graph> large{ring(40), ring(50)};
  const std::vector<Graph> small{sample(), ring(5)};
  const NodeId* arrays = joiner.join(large).incoming().nodes.data();
  const Graph second = joiner.join(small);
  CHECK(second.incoming().nodes.data() == arrays);
  check_equal(second, Graph::join(small));
  const Graph third = joiner.join(large);
  CHECK(third.incoming().nodes.data() != arrays);
  check_equal(second, Graph::join(small));
  check_equal(third, Graph::join(large));
}

TEST_CASE("edge data follow their edges into canonical order", "[graph]") {
  std::vector<Real> given{20, 10, 2, 11, 10.5};
  std::vector<Real> canonical(5);
  to_canonical_order(sample(), ConstMatrixView(given.data(), 5, 1), MatrixView(canonical.data(), 5, 1));
  CHECK(canonical == std::vector<Real>{10, 10.5, 20, 11, 2});
  to_canonical_order(Graph::join(std::vector{sample()}), ConstMatrixView(given.data(), 5, 1),
                     MatrixView(canonical.data(), 5, 1));
  CHECK(canonical == given);
}

TEST_CASE("a graph names what is wrong with its edges", "[graph]") {
  const std::vector<NodeId> two{0, 1}, one{0}, high{0, 3}, low{-1, 0};
  CHECK_THROWS_MATCHES(Graph::from_edges(2, two, one), ShapeError,
                       Message("graph: 2 sources but 1 targets; expected one of each per edge"));
  CHECK_THROWS_MATCHES(Graph::from_edges(3, two, high), ValueError,
                       Message("graph: edge 1 runs from node 1 to node 3; expected nodes in [0, 3)"));
  CHECK_THROWS_MATCHES(Graph::from_edges(3, low, two), ValueError,
                       Message("graph: edge 0 runs from node -1 to node 0; expected nodes in [0, 3)"));
  CHECK_THROWS_MATCHES(Graph::from_edges(-1, {}, {}), ValueError,
                       Message("graph: -1 nodes; expected a number in [0, 2147483647]"));
  CHECK_THROWS_MATCHES(Graph::from_symmetric_csr({0, 1}, {}), ShapeError,
                       Message("graph: offsets end at 1 but there are 0 edges; expected them to be equal"));
  std::vector<Real> data(4);
  CHECK_THROWS_MATCHES(
      to_canonical_order(sample(), ConstMatrixView(data.data(), 4, 1), MatrixView(data.data(), 4, 1)),
      ShapeError,
      Message(
          "edge data: [4, 1] to be put in order as [4, 1]; expected 5 rows, one per edge, on both sides"));
}

TEST_CASE("an edge between two sets is named", "[graph]") {
  CHECK_NOTHROW(require_edges_inside("gat", sample(), Segments({0, 3, 4})));
  CHECK_THROWS_MATCHES(
      require_edges_inside("gat", sample(), Segments({0, 2, 4})), ValueError,
      Message("gat: edge 2 runs from node 2 in set 1 to node 0 in set 0; expected both ends in one set"));
  CHECK_THROWS_AS(require_edges_inside("gat", sample(), Segments({0, 3})), ShapeError);
}
