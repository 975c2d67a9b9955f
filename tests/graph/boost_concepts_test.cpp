#include "tarn/graph/boost.hpp"

#include <boost/concept/assert.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <catch2/catch.hpp>

#include <array>

using namespace tarn;

BOOST_CONCEPT_ASSERT((boost::GraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::IncidenceGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::EdgeListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::VertexAndEdgeListGraphConcept<Graph>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, NodeId, boost::vertex_index_t>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyGraphConcept<Graph, EdgeDescriptor, boost::edge_index_t>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<
                      boost::property_map<const Graph, boost::vertex_index_t>::type, NodeId>));
BOOST_CONCEPT_ASSERT((boost::ReadablePropertyMapConcept<
                      boost::property_map<const Graph, boost::edge_index_t>::const_type, EdgeDescriptor>));

TEST_CASE("Boost sees the edges of a graph from both ends", "[graph][boost]") {
  // Node 0 has no incoming edge and node 3 no edge at all: rows that an iterator has to step over.
  const std::array<NodeId, 4> from{0, 2, 0, 2};
  const std::array<NodeId, 4> to{1, 1, 2, 2};
  const Graph graph = Graph::from_edges(4, from, to);
  std::vector<std::pair<NodeId, NodeId>> all;
  NodeId index = 0;
  for (auto [edge, end] = edges(graph); edge != end; ++edge) {
    all.emplace_back(source(*edge, graph), target(*edge, graph));
    CHECK(get(boost::edge_index, graph, *edge) == index++);
  }
  CHECK(all == std::vector<std::pair<NodeId, NodeId>>{{0, 1}, {2, 1}, {0, 2}, {2, 2}});
  CHECK(num_edges(graph) == 4);
  CHECK(num_vertices(graph) == 4);

  std::size_t seen = 0;
  for (auto [node, last] = vertices(graph); node != last; ++node) {
    CHECK(degree(*node, graph) == in_degree(*node, graph) + out_degree(*node, graph));
    for (auto [edge, end] = out_edges(*node, graph); edge != end; ++edge, ++seen) {
      CHECK((*edge).source == *node);
      CHECK(all[static_cast<std::size_t>((*edge).index)] == std::pair((*edge).source, (*edge).target));
    }
    for (auto [edge, end] = in_edges(*node, graph); edge != end; ++edge, ++seen) {
      CHECK((*edge).target == *node);
      CHECK(all[static_cast<std::size_t>((*edge).index)] == std::pair((*edge).source, (*edge).target));
    }
  }
  CHECK(seen == 8);
  const auto [first, last] = adjacent_vertices(0, graph);
  CHECK(std::vector<NodeId>(first, last) == std::vector<NodeId>{1, 2});
}
