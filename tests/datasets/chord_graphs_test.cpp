#include "tarn/datasets/graphs/chord_graphs.hpp"

#include "tarn/datasets/graphs/graph_set.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace tarn;

namespace {

/// Chords of graph g behind its ring, whose ends have equal labels.
Size pure_chords(const GraphRecords& r, Size g) {
  const Size first = r.node_offsets[static_cast<std::size_t>(g)];
  const Size nodes = r.node_offsets[static_cast<std::size_t>(g + 1)] - first;
  Size pure = 0;
  for (Size e = r.edge_offsets[static_cast<std::size_t>(g)] + 2 * nodes;
       e < r.edge_offsets[static_cast<std::size_t>(g + 1)]; e += 2) {
    const auto label = [&](NodeId v) { return r.node_labels.row(first + v)[0]; };
    pure += label(r.sources[static_cast<std::size_t>(e)]) == label(r.targets[static_cast<std::size_t>(e)])
                ? 1
                : 0;
  }
  return pure;
}

}  // namespace

TEST_CASE("chords tell the class, nodes alone do not", "[datasets][chord-graphs]") {
  const GraphRecords r = generate_chord_graphs({.graphs = 60, .seed = 3});
  const GraphSet set = GraphSet::make(r);
  CHECK(set.num_graphs() == 60);
  CHECK(std::count(r.classes.begin(), r.classes.end(), 1) == 30);
  CHECK(set.findings().duplicates == 0);
  CHECK(set.findings().loops == 0);
  CHECK(set.findings().one_way == 0);
  for (Size g = 0; g < 60; ++g) {
    const Graph& graph = set.graph(g);
    const Size nodes = graph.num_nodes();
    CHECK(nodes % 4 == 0);
    CHECK((nodes >= 16 && nodes <= 32));
    const Adjacency in = graph.incoming();
    for (Size v = 0; v < nodes; ++v) CHECK(in.positions(v).size() == 3);
    const auto first = r.node_labels.values.begin() + r.node_offsets[static_cast<std::size_t>(g)];
    CHECK(std::accumulate(first, first + nodes, std::int64_t{0}) == nodes / 2);
    CHECK(pure_chords(r, g) == (r.classes[static_cast<std::size_t>(g)] == 1 ? nodes / 2 : 0));
  }
}

TEST_CASE("noise mixes chords of both kinds", "[datasets][chord-graphs]") {
  const GraphRecords r = generate_chord_graphs({.graphs = 100, .noise = 1});
  Size pure = 0, all = 0;
  for (Size g = 0; g < 100; ++g) {
    pure += pure_chords(r, g);
    all +=
        (r.node_offsets[static_cast<std::size_t>(g + 1)] - r.node_offsets[static_cast<std::size_t>(g)]) / 2;
  }
  CHECK(static_cast<double>(pure) / static_cast<double>(all) == Approx(0.5).margin(0.06));
}

TEST_CASE("a graph depends on its seed and number alone", "[datasets][chord-graphs]") {
  const GraphRecords a = generate_chord_graphs({.graphs = 20, .seed = 1}),
                     b = generate_chord_graphs({.graphs = 20, .seed = 1});
  CHECK(a.sources == b.sources);
  CHECK(a.node_labels == b.node_labels);
  CHECK(generate_chord_graphs({.graphs = 20, .seed = 2}).sources != a.sources);
}

TEST_CASE("sizes without a multiple of four are refused", "[datasets][chord-graphs][errors]") {
  CHECK_THROWS_WITH(generate_chord_graphs({.min_nodes = 17, .max_nodes = 19}),
                    "chord graphs: got 17 to 19 nodes; expected a multiple of 4 between them");
  CHECK_THROWS_WITH(generate_chord_graphs({.noise = 2}),
                    "chord graphs.noise: got 2.0; expected a number in [0, 1]");
}
