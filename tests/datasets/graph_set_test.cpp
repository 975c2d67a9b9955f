#include "tarn/datasets/graphs/graph_set.hpp"

#include "tarn/core/errors.hpp"

#include "datasets/records_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;

namespace {

using Edges = std::vector<std::pair<NodeId, NodeId>>;
using Table = std::vector<std::vector<double>>;

Table features(const GraphSet& set, Size g) {
  Tensor x({set.num_nodes(g), set.feature_dim()});
  set.write_features(g, x.matrix());
  Table rows;
  for (Size i = 0; i < x.shape()[0]; ++i)
    rows.emplace_back(x.matrix().row(i), x.matrix().row(i) + x.shape()[1]);
  return rows;
}

Table edge_features(const GraphSet& set, Size g) {
  Tensor x({set.graph(g).num_edges(), set.edge_dim()});
  set.write_edge_features(g, x.matrix());
  Table rows;
  for (Size i = 0; i < x.shape()[0]; ++i)
    rows.emplace_back(x.matrix().row(i), x.matrix().row(i) + x.shape()[1]);
  return rows;
}

Edges edges_of(const Graph& graph) {
  Edges edges;
  const std::vector<NodeId> targets = graph.targets();
  for (std::size_t e = 0; e < targets.size(); ++e) edges.emplace_back(graph.sources()[e], targets[e]);
  return edges;
}

/// A triangle with doubled lines and a loop; an arrow and an isolated node.
RecordsBuilder messy() {
  RecordsBuilder b;
  b.add({3, 5, 3}, {{0, 1}, {1, 0}, {0, 1}, {1, 0}, {2, 1}, {1, 2}, {0, 2}, {2, 0}, {1, 1}}, 7);
  b.add({5, 3, 3}, {{0, 1}}, -2);
  return b;
}

}  // namespace

TEST_CASE("loops go, lines that repeat an edge merge, the rest is put in canonical order",
          "[datasets][graph-set]") {
  const GraphSet set = GraphSet::make(messy().records());
  CHECK(edges_of(set.graph(0)) == Edges{{1, 0}, {2, 0}, {0, 1}, {2, 1}, {0, 2}, {1, 2}});
  CHECK(set.graph(0).known_symmetric());
  CHECK(edges_of(set.graph(1)) == Edges{{0, 1}});
  CHECK(!set.graph(1).known_symmetric());
  const GraphSetFindings& f = set.findings();
  CHECK(f.loops == 1);
  CHECK(f.duplicates == 2);
  CHECK(f.one_way == 1);
  CHECK(f.isolated == 1);
  CHECK(f.warnings == std::vector<std::string>{"SET: class -2 has 1 graph, fewer than 10",
                                               "SET: class 7 has 1 graph, fewer than 10",
                                               "SET: 1 self loops were removed",
                                               "SET: 2 lines repeat an edge and were merged with it",
                                               "SET: 1 edges have no reverse", "SET: 1 nodes have no edge"});
}

TEST_CASE("multi-edges are kept where they are asked for", "[datasets][graph-set]") {
  const GraphSet set = GraphSet::make(messy().records(), {.keep_multi_edges = true});
  CHECK(edges_of(set.graph(0)) == Edges{{1, 0}, {1, 0}, {2, 0}, {0, 1}, {0, 1}, {2, 1}, {0, 2}, {1, 2}});
  CHECK(set.graph(0).known_symmetric());
}

TEST_CASE("labels are one-hot from the smallest, unused values keep their column", "[datasets][graph-set]") {
  const GraphSet set = GraphSet::make(messy().records());
  CHECK(set.features() == "labels");
  CHECK(features(set, 0) == Table{{1, 0, 0}, {0, 0, 1}, {1, 0, 0}});
  CHECK(features(set, 1) == Table{{0, 0, 1}, {1, 0, 0}, {1, 0, 0}});
}

TEST_CASE("classes are numbered by their raw values", "[datasets][graph-set]") {
  const GraphSet set = GraphSet::make(messy().records());
  CHECK(std::vector<Size>(set.classes().begin(), set.classes().end()) == std::vector<Size>{1, 0});
  CHECK(std::vector<std::int64_t>(set.class_values().begin(), set.class_values().end()) ==
        std::vector<std::int64_t>{-2, 7});
}

TEST_CASE("merged edges sum their features", "[datasets][graph-set]") {
  RecordsBuilder b = messy();
  b.records().edge_labels = {1, {4, 4, 4, 6, 6, 6, 4, 4, 5, 4}};
  b.records().edge_attributes = {1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}};
  const GraphSet labels = GraphSet::make(b.records());
  CHECK(labels.edge_dim() == 3);
  // 1->0 was listed with 4 and 6, 0->1 twice with 4.
  CHECK(edge_features(labels, 0) == Table{{1, 0, 1}, {1, 0, 0}, {2, 0, 0}, {0, 0, 1}, {1, 0, 0}, {0, 0, 1}});
  const GraphSet both = GraphSet::make(b.records(), {.use_edge_attributes = true});
  CHECK(both.edge_dim() == 4);
  CHECK(edge_features(both, 0)[2] == std::vector<double>{1 + 3, 2, 0, 0});
  CHECK(labels.findings().uneven);
  CHECK(labels.findings().warnings[4] ==
        "SET: some edges are listed more often than others, so that their summed attributes do not compare");
}

TEST_CASE("sets without labels take degrees, counted after merging", "[datasets][graph-set]") {
  RecordsBuilder b = messy();
  b.records().node_labels = {};
  const GraphSet set = GraphSet::make(b.records());
  CHECK(set.features() == "degree");
  // Degrees 2 2 2 and 1 0 0: columns 0, 1, 2.
  CHECK(features(set, 0) == Table{{0, 0, 1}, {0, 0, 1}, {0, 0, 1}});
  CHECK(features(set, 1) == Table{{0, 1, 0}, {1, 0, 0}, {1, 0, 0}});
  const GraphSet most = GraphSet::make(b.records(), {.features = "degree-max:1"});
  CHECK(features(most, 0)[0] == std::vector<double>{0, 1});
  CHECK(features(most, 1)[1] == std::vector<double>{1, 0});
  CHECK(features(GraphSet::make(b.records(), {.features = "constant"}), 1) == Table{{1}, {1}, {1}});
  CHECK(features(GraphSet::make(b.records(), {.features = "degree-value"}), 0) == Table{{2}, {2}, {2}});
  const GraphSet log = GraphSet::make(b.records(), {.features = "degree-value", .log_degree = true});
  CHECK(features(log, 0)[0][0] == Approx(std::log(3.0)));
}

TEST_CASE("attributes come first, labels next, degrees last", "[datasets][graph-set]") {
  RecordsBuilder b = messy();
  b.records().node_attributes = {2, {.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6}};
  CHECK(GraphSet::make(b.records()).feature_dim() == 3);
  const GraphSet set = GraphSet::make(b.records(), {.use_node_attributes = true, .features = "degree-value"});
  CHECK(set.features() == "attributes+labels+degree-value");
  CHECK(features(set, 1)[0] == std::vector<double>{3.5, 4, 0, 0, 1, 1});
  CHECK(std::vector<Size>(set.real_columns().begin(), set.real_columns().end()) ==
        std::vector<Size>{0, 1, 5});
}

TEST_CASE("an empty graph is a graph", "[datasets][graph-set]") {
  RecordsBuilder b;
  b.add({}, {}, 0).add({1}, {}, 1);
  const GraphSet set = GraphSet::make(b.records());
  CHECK(set.graph(0).num_nodes() == 0);
  CHECK(features(set, 0).empty());
}

TEST_CASE("sets that cannot be made say why", "[datasets][graph-set][errors]") {
  RecordsBuilder b = messy();
  CHECK_THROWS_WITH(
      GraphSet::make(b.records(), {.features = "degrees"}),
      "features: got 'degrees'; expected auto, none, degree, degree-max:K with K from 1 to 65536, "
      "constant or degree-value");
  CHECK_THROWS_AS(GraphSet::make(b.records(), {.features = "degree-max:0"}), ConfigError);
  CHECK_THROWS_AS(GraphSet::make(b.records(), {.features = "degree-max:3x"}), ConfigError);
  b.records().node_labels = {1, {0, 1, 2, 3, 4, 70000}};
  CHECK_THROWS_WITH(
      GraphSet::make(b.records()),
      "SET: node labels: row 5, column 0: 70000 where the smallest is 0; expected labels in a range "
      "of 65536");
  b.records().node_labels = {1, {INT64_MIN, 1, 2, 3, 4, INT64_MAX}};
  CHECK_THROWS_AS(GraphSet::make(b.records()), DataError);
  b.records().node_labels = {};
  CHECK_THROWS_WITH(GraphSet::make(b.records(), {.features = "none"}),
                    "features: got 'none' for SET, whose nodes have no labels; expected auto or degree");
  b.records().targets[2] = 5;
  CHECK_THROWS_WITH(GraphSet::make(b.records()),
                    "SET: edge 2 of graph 0 runs from node 0 to node 5; expected nodes in [0, 3)");
}
