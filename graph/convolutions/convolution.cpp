#include "tarn/graph/convolutions/convolution.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <cmath>

namespace tarn {

namespace {

void require_finite(const char* where, ConstMatrixView attr) {
  for (Size e = 0; e < attr.rows; ++e) {
    for (Size f = 0; f < attr.cols; ++f) {
      if (std::isfinite(attr(e, f))) continue;
      throw ValueError(
          fmt::format("{}: edge_attr of edge {} is {}; expected finite numbers", where, e, attr(e, f)));
    }
  }
}

void require_edge_attr(const char* where, const GraphInput& in, Size edge_dim) {
  const Size edges = in.graph.num_edges();
  if (!in.edge_attr.given()) {
    if (edge_dim <= 0) return;
    throw ShapeError(fmt::format("{}: no edge_attr given; expected [{}, {}] (edge_dim is {})", where, edges,
                                 edge_dim, edge_dim));
  }
  const Shape& shape = in.edge_attr.shape();
  if (edge_dim == 0)
    throw ShapeError(fmt::format("{}: edge_attr {} given; expected none", where, shape.text()));
  const Size width = edge_dim < 0 ? 1 : edge_dim;
  const bool as_list = shape.rank() == 1 && width == 1;
  if (shape[0] != edges || (!as_list && (shape.rank() != 2 || shape[1] != width))) {
    throw ShapeError(
        fmt::format("{}: edge_attr is {}; expected [{}, {}]", where, shape.text(), edges, width));
  }
  require_finite(where, in.edge_attr.value());
}

}  // namespace

inline namespace TARN_PRECISION {

void require_graph_input(const char* where, const GraphInput& in, Size in_channels, Size edge_dim) {
  if (in.x.shape().rank() != 2 || in.x.cols() != in_channels) {
    throw ShapeError(
        fmt::format("{}: x is {}; expected [N, {}] (in_channels)", where, in.x.shape().text(), in_channels));
  }
  if (in.x.rows() != in.graph.num_nodes()) {
    throw ShapeError(fmt::format("{}: x has {} rows but the graph has {} nodes; expected the same number",
                                 where, in.x.rows(), in.graph.num_nodes()));
  }
  require_edge_attr(where, in, edge_dim);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
