#pragma once

#include "tarn/core/layers.hpp"
#include "tarn/datasets/graphs/graph_batches.hpp"
#include "tarn/graph/backbone.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// The table `model` of a run: the backbone and the head.
struct GraphModelOptions {
  std::string conv = "gin";
  Value conv_options;
  std::vector<Size> widths{64, 64, 64, 64, 64};
  std::string norm = "batch-norm";
  Value norm_options;
  double dropout = 0;
  bool residual = false;
  bool virtual_node = false;
  bool edge_features = false;
  std::string layer_readout = "sum";
  std::optional<bool> raw_input;
  Size head_hidden = 64;
  double head_dropout = 0.5;
  void fields(Fields& f);
};

/// Widths of what a model reads and gives.
struct GraphModelShape {
  Size feature_dim = 0;
  Size edge_dim = 0;
  Size outputs = 2;
};

/// The readout's name of the model that looks at no edge.
inline constexpr const char* edge_free = "edge-free";

inline namespace TARN_PRECISION {

/// A batch of graphs to a row of outputs each.
///
/// Children: `backbone`, `readout` (or `layer_pool`, with `readout` behind those that give node features) and
/// `head`; the edge-free model has `nodes` and `head`. Head: linear - relu - dropout - linear, at positions 0
/// and 3.
class GraphModel : public Module {
 public:
  /// Logits or numbers [B, outputs].
  [[nodiscard]] virtual Var forward(Tape& tape, const GraphBatch& batch) = 0;
  /// What a batch of training must hold at least.
  [[nodiscard]] virtual SmallestBatch smallest_batch() const { return {}; }
  /// Whether batches must carry edge features.
  [[nodiscard]] virtual EdgeFeatures edge_features() const { return EdgeFeatures::leave; }
  /// What the training passes since the last call have to say of the readout's health.
  [[nodiscard]] virtual std::vector<std::pair<std::string, double>> take_figures() { return {}; }
  /// What a user must be told before training.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

/// A backbone with a readout by its name: one of the set readouts on the last layer, a layer pool on the
/// history of all layers, or `edge-free`, sum of an MLP of the node features, then an MLP (the baseline of
/// Errica et al. 2020, arXiv 1912.09893).
///
/// `gin-readout` with `combine` sum gives the outputs itself and has no head; its layer 0 is the raw
/// features, as its authors have it, unless `raw_input` is false. Throws ConfigError or ValueError for
/// options that do not fit.
[[nodiscard]] std::unique_ptr<GraphModel> make_graph_model(const GraphModelOptions& options,
                                                           const std::string& readout,
                                                           const Value& readout_options,
                                                           const GraphModelShape& shape);

}  // namespace TARN_PRECISION
}  // namespace tarn
