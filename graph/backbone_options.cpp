#include "tarn/graph/backbone_options.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/norms/norm.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

std::vector<std::string> norm_choices() {
  std::vector<std::string> choices = norms().names();
  choices.insert(choices.begin(), "none");
  return choices;
}

}  // namespace

void BackboneLayerOptions::fields(Fields& f) {
  f("conv", conv, convolutions().names(), "convolution");
  f("conv_options", conv_options, "options of the convolution; its widths follow from the layers");
  f("hidden", hidden, at_least(1), "width of a layer, all heads together");
  f("norm", norm, norm_choices(), "norm after the convolution");
  f("norm_options", norm_options, "options of the norm; its width follows from the layer");
  f("activation", activation, "activation after the norm");
  f("dropout", dropout, in_range(0, 1), "share of elements dropped after the activation in training");
  f("residual", residual, "add the layer's input where widths agree");
}

void BackboneOptions::fields(Fields& f) {
  BackboneLayerOptions::fields(f);
  f("layers", layers, at_least(0), "number of layers");
  f("layer_options", layer_options, "tables that are laid over the options of layer 0, 1, ...");
  f("embedding", embedding, "what makes the first node matrix");
  f("in_channels", in_channels, at_least(0), "width of x, for the embeddings linear and none");
  f("table_sizes", table_sizes, at_least(1), "values of each integer column, for the embedding tables");
  f("edge_dim", edge_dim, at_least(1), "width of the edge features; null: none are read");
  f("virtual_node", virtual_node, "one extra state per graph");
  f("virtual_node_options", virtual_node_options, "options of virtual-node; its width is that of the layers");
}

std::vector<BackboneLayerOptions> BackboneOptions::layer_list() const {
  if (static_cast<Size>(layer_options.size()) > layers) {
    throw ConfigError(fmt::format("backbone.layer_options: got {} tables; expected at most {} (layers)",
                                  layer_options.size(), layers));
  }
  std::vector<BackboneLayerOptions> result(static_cast<std::size_t>(layers), *this);
  for (std::size_t k = 0; k < layer_options.size(); ++k) {
    detail::read_fields(layer_options[k], fmt::format("backbone.layer_options[{}]", k),
                        [&](Fields& f) { result[k].fields(f); });
  }
  return result;
}

}  // namespace tarn
