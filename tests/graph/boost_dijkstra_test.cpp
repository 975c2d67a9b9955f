#include "tarn/graph/boost.hpp"

#include "graph/random_graph.hpp"
#include <boost/graph/dijkstra_shortest_paths.hpp>
#include <catch2/catch.hpp>

#include <limits>

using namespace tarn;

TEST_CASE("Boost finds shortest paths along the edges of a graph", "[graph][boost]") {
  const Graph graph = tests::random_symmetric_graph(50, 90, 2);
  const std::vector<double> weights = tests::symmetric_weights(graph);
  std::vector<double> found(50);
  boost::dijkstra_shortest_paths(
      graph, NodeId{0},
      boost::weight_map(boost::make_iterator_property_map(weights.begin(), get(boost::edge_index, graph)))
          .distance_map(boost::make_iterator_property_map(found.begin(), get(boost::vertex_index, graph))));

  constexpr double far = std::numeric_limits<double>::max();
  std::vector<double> distance(50, far);
  distance[0] = 0;
  const auto targets = graph.targets();
  for (int round = 0; round < 50; ++round)
    for (std::size_t e = 0; e < targets.size(); ++e) {
      const double start = distance[static_cast<std::size_t>(graph.sources()[e])];
      double& end = distance[static_cast<std::size_t>(targets[e])];
      if (start < far) end = std::min(end, start + weights[e]);
    }
  CHECK(found == distance);
}
