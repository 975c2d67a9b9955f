#include "tarn/datasets/graphs/graph_batches.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Statistics of some columns of what `write(graph, block)` writes.
template <class Write>
FeatureScale scale_of(std::span<const Size> graphs, std::span<const Size> columns, Size width,
                      Size (*rows_of)(const Graph&), const GraphSet& set, Write write) {
  FeatureScale scale;
  if (columns.empty()) return scale;
  std::vector<double> sums(columns.size()), squares(columns.size());
  double rows = 0;
  // Deviations from the first row's values: sums of squares of large numbers cancel badly.
  std::vector<double> origin;
  for (const Size g : graphs) {
    Tensor block({rows_of(set.graph(g)), width});
    write(g, block.matrix());
    const ConstMatrixView values = std::as_const(block).matrix();
    for (Size i = 0; i < values.rows; ++i) {
      if (origin.empty()) {
        for (const Size c : columns) origin.push_back(static_cast<double>(values(i, c)));
      }
      for (std::size_t c = 0; c < columns.size(); ++c) {
        const double d = static_cast<double>(values(i, columns[c])) - origin[c];
        sums[c] += d;
        squares[c] += d * d;
      }
    }
    rows += static_cast<double>(values.rows);
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const double mean = rows > 0 ? sums[c] / rows : 0;
    const double variance = rows > 0 ? squares[c] / rows - mean * mean : 0;
    scale.mean.push_back((origin.empty() ? 0 : origin[c]) + mean);
    const bool constant = variance <= 1e-12 * std::max(1.0, mean * mean);
    scale.factor.push_back(constant ? 1 : 1 / std::sqrt(variance));
  }
  return scale;
}

void apply(const FeatureScale& scale, std::span<const Size> columns, MatrixView x) {
  if (scale.mean.empty()) return;
  for (Size i = 0; i < x.rows; ++i) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      Real& value = x(i, columns[c]);
      value = static_cast<Real>((static_cast<double>(value) - scale.mean[c]) * scale.factor[c]);
    }
  }
}

/// A buffer of at least so many rows; grows by half again, so that it soon stops.
void reserve_rows(Tensor& buffer, Size rows, Size cols) {
  if (buffer.shape().rank() == 2 && buffer.shape()[0] >= rows) return;
  const Size before = buffer.shape().rank() == 2 ? buffer.shape()[0] : 0;
  buffer = Tensor({std::max(rows, before + before / 2), cols});
}

}  // namespace

FeatureScale node_scale(const GraphSet& set, std::span<const Size> graphs) {
  return scale_of(
      graphs, set.real_columns(), set.feature_dim(), [](const Graph& g) { return g.num_nodes(); }, set,
      [&](Size g, MatrixView block) { set.write_features(g, block); });
}

FeatureScale edge_scale(const GraphSet& set, std::span<const Size> graphs) {
  return scale_of(
      graphs, set.real_edge_columns(), set.edge_dim(), [](const Graph& g) { return g.num_edges(); }, set,
      [&](Size g, MatrixView block) { set.write_edge_features(g, block); });
}

GraphBatcher::GraphBatcher(GraphSet set, EdgeFeatures edge_features, FeatureScale nodes, FeatureScale edges)
    : set_(std::move(set)),
      edge_features_(set_.edge_dim() > 0 ? edge_features : EdgeFeatures::leave),
      node_scale_(std::move(nodes)),
      edge_scale_(std::move(edges)) {}

const GraphBatch& GraphBatcher::assemble(std::span<const Size> graphs) {
  parts_.clear();
  sizes_.clear();
  classes_.clear();
  graphs_.assign(graphs.begin(), graphs.end());
  Size rows = 0, edges = 0;
  for (const Size g : graphs) {
    if (g < 0 || g >= set_.num_graphs()) {
      throw ValueError(fmt::format("batch: graph {}; expected 0 to {}", g, set_.num_graphs() - 1));
    }
    parts_.push_back(set_.graph(g));
    sizes_.push_back(parts_.back().num_nodes());
    rows += sizes_.back();
    edges += parts_.back().num_edges();
    if (!set_.classes().empty()) classes_.push_back(set_.classes()[idx(g)]);
  }
  reserve_rows(x_, rows, set_.feature_dim());
  Size at = 0;
  for (const Size g : graphs) {
    const Size n = set_.num_nodes(g);
    set_.write_features(g, x_.matrix().row_block(at, at + n));
    at += n;
  }
  const MatrixView x = x_.matrix().row_block(0, rows);
  apply(node_scale_, set_.real_columns(), x);
  batch_.graph = joiner_.join(parts_);
  batch_.sets = segments_.make(sizes_);
  batch_.graphs = graphs_;
  batch_.classes = classes_;
  batch_.x = x;
  if (edge_features_ == EdgeFeatures::leave) return batch_;
  reserve_rows(edge_attr_, edges, set_.edge_dim());
  at = 0;
  for (const Graph& part : parts_) {
    const auto place = static_cast<std::size_t>(&part - parts_.data());
    set_.write_edge_features(graphs[place], edge_attr_.matrix().row_block(at, at + part.num_edges()));
    at += part.num_edges();
  }
  batch_.edge_attr = edge_attr_.matrix().row_block(0, edges);
  apply(edge_scale_, set_.real_edge_columns(), edge_attr_.matrix().row_block(0, edges));
  return batch_;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
