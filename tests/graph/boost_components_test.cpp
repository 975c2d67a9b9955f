#include "tarn/graph/boost.hpp"

#include "graph/random_graph.hpp"
#include <boost/graph/connected_components.hpp>
#include <catch2/catch.hpp>

#include <numeric>

using namespace tarn;

TEST_CASE("Boost finds the connected components of a graph", "[graph][boost]") {
  const Graph graph = tests::random_symmetric_graph(60, 45, 1);
  std::vector<int> found(60);
  const int count = boost::connected_components(
      graph, boost::make_iterator_property_map(found.begin(), get(boost::vertex_index, graph)));

  // Labels sink to the smallest node that can be reached.
  std::vector<NodeId> label(60);
  std::iota(label.begin(), label.end(), 0);
  const auto targets = graph.targets();
  for (int round = 0; round < 60; ++round)
    for (std::size_t e = 0; e < targets.size(); ++e) {
      auto& a = label[static_cast<std::size_t>(graph.sources()[e])];
      auto& b = label[static_cast<std::size_t>(targets[e])];
      a = b = std::min(a, b);
    }
  int roots = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    roots += label[i] == static_cast<NodeId>(i) ? 1 : 0;
    for (std::size_t j = 0; j < 60; ++j) CHECK((found[i] == found[j]) == (label[i] == label[j]));
  }
  CHECK(count == roots);
  CHECK(count > 1);
}
