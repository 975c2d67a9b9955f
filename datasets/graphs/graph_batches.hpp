#pragma once

#include "tarn/datasets/graphs/graph_set.hpp"

namespace tarn {

/// How real columns are shifted and scaled: (x - mean) * factor; nothing is without columns.
struct FeatureScale {
  std::vector<double> mean;
  std::vector<double> factor;  ///< 1 / standard deviation; 1 for a constant column
};

enum class EdgeFeatures { leave, read };

inline namespace TARN_PRECISION {

/// Mean and divisor-n deviation of the real node columns over the nodes of some graphs: those that train,
/// never those that are tested.
[[nodiscard]] FeatureScale node_scale(const GraphSet& set, std::span<const Size> graphs);
/// The same of the real edge columns over the edges.
[[nodiscard]] FeatureScale edge_scale(const GraphSet& set, std::span<const Size> graphs);

/// Some graphs as one: block-diagonal graph, features, classes. Views, valid until the next batch of the same
/// batcher; graph and sets are handles.
struct GraphBatch {
  std::span<const Size> graphs;   ///< which of the set
  ConstMatrixView x;              ///< [N, feature_dim]
  Graph graph;                    ///< over the N rows
  Segments sets;                  ///< rows of each graph
  ConstMatrixView edge_attr;      ///< [E, edge_dim] in canonical order; empty unless read
  std::span<const Size> classes;  ///< [B]; empty if there are none
};

/// Puts batches together in memory that is kept: a steady state allocates nothing. For one thread.
class GraphBatcher {
 public:
  explicit GraphBatcher(GraphSet set, EdgeFeatures edge_features = EdgeFeatures::leave,
                        FeatureScale nodes = {}, FeatureScale edges = {});

  /// Throws ValueError for a number that is no graph of the set.
  const GraphBatch& assemble(std::span<const Size> graphs);
  [[nodiscard]] const GraphSet& set() const { return set_; }

 private:
  GraphSet set_;
  EdgeFeatures edge_features_;
  FeatureScale node_scale_, edge_scale_;
  GraphJoiner joiner_;
  SegmentsPool segments_;
  std::vector<Graph> parts_;
  std::vector<Size> sizes_, classes_, graphs_;
  Tensor x_, edge_attr_;
  GraphBatch batch_;
};

}  // namespace TARN_PRECISION
}  // namespace tarn
