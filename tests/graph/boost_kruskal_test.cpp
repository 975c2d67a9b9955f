#include "tarn/graph/boost.hpp"

#include "graph/random_graph.hpp"
#include <boost/graph/kruskal_min_spanning_tree.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <numeric>

using namespace tarn;

TEST_CASE("Boost finds the lightest spanning forest of a graph", "[graph][boost]") {
  const Graph graph = tests::random_symmetric_graph(40, 70, 3);
  const std::vector<double> weights = tests::symmetric_weights(graph);
  std::vector<EdgeDescriptor> found;
  boost::kruskal_minimum_spanning_tree(
      graph, std::back_inserter(found),
      boost::weight_map(boost::make_iterator_property_map(weights.begin(), get(boost::edge_index, graph))));

  const auto targets = graph.targets();
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t e) { return weights[e]; });
  std::vector<NodeId> label(40);
  std::iota(label.begin(), label.end(), 0);
  double lightest = 0;
  std::size_t taken = 0;
  for (const std::size_t e : order) {
    const NodeId a = label[static_cast<std::size_t>(graph.sources()[e])];
    const NodeId b = label[static_cast<std::size_t>(targets[e])];
    if (a == b) continue;
    std::ranges::replace(label, a, b);
    lightest += weights[e];
    ++taken;
  }
  double total = 0;
  for (const EdgeDescriptor& edge : found) total += weights[static_cast<std::size_t>(edge.index)];
  CHECK(found.size() == taken);
  CHECK(total == Approx(lightest));
}
