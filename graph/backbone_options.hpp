#pragma once

#include "tarn/core/ops/linear.hpp"
#include "tarn/core/options.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

/// What turns the node data into the first node matrix: a linear map of features, the sum of one table row
/// per integer column, or nothing.
enum class InputEmbedding { linear, tables, none };
inline std::span<const std::string_view> enum_names(InputEmbedding) {
  static constexpr std::array<std::string_view, 3> names{"linear", "tables", "none"};
  return names;
}

/// One layer: convolution, norm, activation, dropout, then + input.
struct BackboneLayerOptions {
  std::string conv = "gin";
  Value conv_options;  ///< of the convolution, without its widths
  Size hidden = 64;
  std::string norm = "batch-norm";
  Value norm_options;  ///< of the norm, without `channels`
  Activation activation = Activation::relu;
  double dropout = 0;
  bool residual = false;
  void fields(Fields& f);
};

struct BackboneOptions : BackboneLayerOptions {
  Size layers = 5;
  std::vector<Value> layer_options;  ///< entry k is laid over the options above for layer k
  InputEmbedding embedding = InputEmbedding::linear;
  Size in_channels = 0;
  std::vector<Size> table_sizes;
  std::optional<Size> edge_dim;
  bool virtual_node = false;
  Value virtual_node_options;  ///< without `channels`
  void fields(Fields& f);

  /// The options of each layer, in order. Throws ConfigError if layer_options has more entries than layers or
  /// one of them a wrong option.
  [[nodiscard]] std::vector<BackboneLayerOptions> layer_list() const;
};

}  // namespace tarn
