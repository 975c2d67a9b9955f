#include "tarn/datasets/graphs/graph_batches.hpp"

#include "tarn/core/errors.hpp"

#include "datasets/records_fixture.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;

namespace {

/// Graph g is a cycle of g + 2 nodes with attributes 100 g + v and 5.
GraphRecords cycles(Size count) {
  RecordsBuilder b;
  GraphRecords& r = b.records();
  r.node_attributes.cols = 2;
  for (Size g = 0; g < count; ++g) {
    const auto n = static_cast<NodeId>(g + 2);
    std::vector<std::pair<NodeId, NodeId>> edges;
    for (NodeId v = 0; v < n; ++v) {
      edges.emplace_back(v, (v + 1) % n);
      edges.emplace_back((v + 1) % n, v);
      r.node_attributes.values.push_back(100.0 * static_cast<double>(g) + v);
      r.node_attributes.values.push_back(5);
    }
    b.add(std::vector<std::int64_t>(static_cast<std::size_t>(n), g % 3), edges, g % 2);
  }
  r.edge_attributes.cols = 1;
  for (std::size_t e = 0; e < r.sources.size(); ++e)
    r.edge_attributes.values.push_back(static_cast<double>(e));
  return r;
}

GraphSet cycle_set(Size count) {
  return GraphSet::make(cycles(count), {.use_node_attributes = true, .use_edge_attributes = true});
}

}  // namespace

TEST_CASE("a batch joins its graphs in the order asked for", "[datasets][graph-batches]") {
  GraphBatcher batcher(cycle_set(6), EdgeFeatures::read);
  const std::vector<Size> wanted{4, 0, 2};
  const GraphBatch& batch = batcher.assemble(wanted);
  CHECK(batch.sets.count() == 3);
  CHECK(batch.sets.size(0) == 6);
  CHECK(batch.sets.size(1) == 2);
  CHECK(batch.graph.num_nodes() == 12);
  CHECK(std::vector<Size>(batch.classes.begin(), batch.classes.end()) == std::vector<Size>{0, 0, 0});
  CHECK(batch.x(6, 0) == 0);
  CHECK(batch.x(8, 0) == 200);
  CHECK(batch.x(8, 1) == 5);
  CHECK(batch.x(8, 4) == 1);  // label 2 of 0..2 behind two attributes
  CHECK(batch.edge_attr.rows == batch.graph.num_edges());
  require_edges_inside("batch", batch.graph, batch.sets);
}

TEST_CASE("a graph's rows are the same alone and in any batch", "[datasets][graph-batches]") {
  const GraphSet set = cycle_set(6);
  GraphBatcher alone(set, EdgeFeatures::read), together(set, EdgeFeatures::read);
  const std::vector<Size> all{5, 3, 1, 0, 2, 4};
  const GraphBatch& batch = together.assemble(all);
  Size edge = 0;
  for (std::size_t b = 0; b < all.size(); ++b) {
    const GraphBatch& one = alone.assemble({&all[b], 1});
    for (Size i = 0; i < one.x.rows; ++i) {
      const Size row = batch.sets.rows(static_cast<Size>(b)).begin + i;
      for (Size c = 0; c < one.x.cols; ++c) CHECK(one.x(i, c) == batch.x(row, c));
    }
    for (Size e = 0; e < one.graph.num_edges(); ++e, ++edge)
      CHECK(one.edge_attr(e, 0) == batch.edge_attr(edge, 0));
  }
}

TEST_CASE("batches settle on memory that they use again", "[datasets][graph-batches]") {
  GraphBatcher batcher(cycle_set(8), EdgeFeatures::read);
  const std::vector<Size> first{7, 6, 5}, second{0, 1, 7};
  const Real* const x = batcher.assemble(first).x.data;
  const Size* const sets = batcher.assemble(second).sets.offsets().data();
  static_cast<void>(batcher.assemble(first));
  CHECK(batcher.assemble(second).x.data == x);
  CHECK(batcher.assemble(second).sets.offsets().data() != nullptr);
  std::vector<const Size*> seen;
  for (int i = 0; i < 6; ++i) seen.push_back(batcher.assemble(first).sets.offsets().data());
  CHECK(seen[4] == seen[2]);
  CHECK(seen[5] == seen[3]);
  CHECK((sets == seen[4] || sets == seen[5]));
}

TEST_CASE("statistics of attributes come from the graphs named alone", "[datasets][graph-batches]") {
  GraphRecords records = cycles(4);
  const std::vector<Size> training{0, 1};  // values 0 1 and 100 101 102
  const auto scale_of = [&] {
    return node_scale(GraphSet::make(records, {.use_node_attributes = true}), training);
  };
  const FeatureScale scale = scale_of();
  CHECK(scale.mean[0] == Approx(304.0 / 5));
  CHECK(scale.factor[0] == Approx(1 / std::sqrt(2402.96 + 0)).margin(1e-3));
  CHECK(scale.mean[1] == 5);
  CHECK(scale.factor[1] == 1);  // a constant column keeps its size
  // Graphs that are tested may hold anything.
  for (std::size_t i = 10; i < records.node_attributes.values.size(); ++i)
    records.node_attributes.values[i] *= 1e6;
  CHECK(scale_of().mean == scale.mean);
  CHECK(scale_of().factor == scale.factor);
  GraphBatcher batcher(cycle_set(4), EdgeFeatures::leave, scale);
  const GraphBatch& batch = batcher.assemble(training);
  double sum = 0, squares = 0;
  for (Size i = 0; i < batch.x.rows; ++i) {
    sum += static_cast<double>(batch.x(i, 0));
    squares += static_cast<double>(batch.x(i, 0) * batch.x(i, 0));
    CHECK(batch.x(i, 1) == 0);
    CHECK(batch.x(i, 2) + batch.x(i, 3) == 1);  // labels are left as they are
  }
  CHECK(sum / 5 == Approx(0).margin(1e-6));
  CHECK(squares / 5 == Approx(1));
}

TEST_CASE("edge statistics come from edges", "[datasets][graph-batches]") {
  const GraphSet set = cycle_set(3);
  const std::vector<Size> training{1};
  const FeatureScale scale = edge_scale(set, training);
  // Lines 4..9 after the first graph's four, whose doubled edges were merged.
  CHECK(scale.mean[0] == Approx(6.5));
  CHECK(edge_scale(GraphSet::make(cycles(3)), training).mean.empty());
}

TEST_CASE("a batch of graphs that are not there is refused", "[datasets][graph-batches][errors]") {
  GraphBatcher batcher(cycle_set(3));
  const std::vector<Size> wrong{1, 3};
  CHECK_THROWS_WITH(batcher.assemble(wrong), "batch: graph 3; expected 0 to 2");
}
