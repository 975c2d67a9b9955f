#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/graph/graph.hpp"

namespace tarn {
/// What a convolution makes of edge attributes: nothing, weights of the messages, or features of width
/// `edge_dim`.
enum class EdgeInput { none, weight, features };

inline namespace TARN_PRECISION {

struct GraphInput {
  Var x;            ///< [N, in]
  Graph graph;      ///< over the N rows
  Var edge_attr{};  ///< [E, F] in the graph's canonical order: edge features, or with F = 1 edge weights; or
                    ///< not given
};

/// Message passing over the edges of a graph: x [N, in] -> [N, out_dim()]. Messages run from source to
/// target; multi-edges count each time; a node without incoming edges aggregates to zero; N = 0 and E = 0 are
/// valid.
class Convolution : public Module {
 public:
  /// Throws ShapeError if x has another width than in_channels, or rows other than the graph's nodes, or
  /// edge_attr does not fit.
  [[nodiscard]] virtual Var forward(const GraphInput& in) = 0;
  [[nodiscard]] virtual Size out_dim() const = 0;
  [[nodiscard]] virtual EdgeInput edge_input() const = 0;
};

/// All convolutions by name.
[[nodiscard]] Registry<Convolution>& convolutions();
void register_convolutions(Registry<Convolution>& registry);

/// What every convolution checks of its input; `edge_dim` is the width of the edge attributes it takes: 0
/// takes none, -1 takes any number of weights [E] or [E, 1] or none.
void require_graph_input(const char* where, const GraphInput& in, Size in_channels, Size edge_dim);

}  // namespace TARN_PRECISION
}  // namespace tarn
