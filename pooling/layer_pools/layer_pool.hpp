#pragma once

#include "tarn/core/module.hpp"
#include "tarn/core/registry.hpp"
#include "tarn/core/segments.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tarn {

/// What every layer pool is told of the history: L matrices of these widths.
struct HistoryOptions {
  Size layers = 0;
  OneOrEach in_channels;
  void fields(Fields& f) {
    f("layers", layers, at_least(1), "matrices in the history: the embedded input and every layer");
    f("in_channels", in_channels, at_least(1), "their width, or a list with one for each");
  }
  /// One width per layer. Throws ValueError, naming `owner`, for options out of range, ConfigError if the
  /// list has another length than `layers`.
  [[nodiscard]] std::vector<Size> widths(std::string_view owner) const;
};

/// Throws ConfigError unless all widths are equal; `why` goes after the widths: " with projection shared".
void require_equal_widths(std::string_view owner, std::span<const Size> widths, std::string_view why);

enum class PooledLevel { nodes, graphs };

inline namespace TARN_PRECISION {

/// The history of a graph network over a batch, as `Backbone::forward` gives it.
struct HistoryInput {
  std::span<const Var> layers;  ///< [N, D_l] each
  Segments sets;                ///< the nodes of each graph
};

struct LayerPooled {
  Var y;                ///< [N, out] or [B, out]
  Var layer_weights{};  ///< [B, L] or [N, L], where the pool weighs layers
  Var nodes{};          ///< [N, out], where y was made of such
};

/// A figure worth a line in the log of an epoch.
using Figure = std::pair<std::string, double>;

/// Turns the history of all layers into node features or into one vector per graph. Graphs of a batch do not
/// see each other unless the pool says so in `warnings`.
class LayerPool : public Module {
 public:
  /// Throws ShapeError if the history has another number of layers, widths or rows than it should.
  [[nodiscard]] virtual LayerPooled forward(const HistoryInput& in) = 0;
  /// Whether y has a row per node or per graph.
  [[nodiscard]] virtual PooledLevel level() const = 0;
  /// Columns of y.
  [[nodiscard]] virtual Size out_dim() const = 0;
  /// What the training passes since the last call have to say of the pool's health; starts anew.
  [[nodiscard]] virtual std::vector<Figure> take_figures() { return {}; }
  /// What a run must tell its user before it starts.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }
};

/// All layer pools by name.
[[nodiscard]] Registry<LayerPool>& layer_pools();
void register_layer_pools(Registry<LayerPool>& registry);

/// A layer pool for a history of these widths: the options `layers` and `in_channels` are set.
[[nodiscard]] std::unique_ptr<LayerPool> make_layer_pool(std::string_view name, std::span<const Size> widths,
                                                         Value options = {});

/// What every layer pool checks.
void require_history(const char* where, const HistoryInput& in, std::span<const Size> widths);

/// The layers of a history [N, L, D] as views, node-major: layer l is columns l D .. of a row.
[[nodiscard]] std::vector<Var> history_layers(Var history);

}  // namespace TARN_PRECISION
}  // namespace tarn
