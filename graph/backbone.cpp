#include "tarn/graph/backbone.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/embedding.hpp"
#include "tarn/core/ops/per_set.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

namespace {

/// Options of a part, whose widths are not the user's to set.
Value part_options(const Value& given, std::string_view owner,
                   std::initializer_list<std::string_view> reserved) {
  for (const std::string_view key : reserved) {
    if (given.find(key) == nullptr) continue;
    throw ConfigError(
        fmt::format("backbone.{}: got {}; expected no such option (it follows from the layers)", owner, key));
  }
  return given;
}

bool flag(const Value& options, std::string_view key) {
  const Value* v = options.find(key);
  return v != nullptr && v->boolean() != nullptr && *v->boolean();
}

/// Whether a module normalises over the rows of the batch.
bool has_running_statistics(Module& module) {
  const auto state = module.state();
  return std::any_of(state.begin(), state.end(),
                     [](const auto& entry) { return entry.first.ends_with("running_mean"); });
}

std::unique_ptr<Convolution> make_layer_convolution(const BackboneLayerOptions& o, Size in,
                                                    std::optional<Size> edge_dim) {
  const auto& entry = convolutions().at(o.conv);
  Value options = part_options(o.conv_options, "conv_options", {"in_channels", "out_channels", "edge_dim"});
  options.set("in_channels", in);
  options.set("out_channels", o.hidden);
  if (entry.has_option("edge_dim") && edge_dim) options.set("edge_dim", *edge_dim);
  if (!entry.has_option("heads")) return entry.make(options);
  const Value resolved = entry.resolve(options);
  const Size heads = *resolved.find("heads")->integer();
  if (flag(resolved, "concat")) {
    if (o.hidden % heads != 0) {
      throw ConfigError(fmt::format("backbone.hidden: got {} with {} heads side by side; expected a multiple",
                                    o.hidden, heads));
    }
    options.set("out_channels", o.hidden / heads);
  }
  return entry.make(options);
}

}  // namespace

inline namespace TARN_PRECISION {

Backbone::Backbone(const Options& options) : o_(options) {
  check_options(o_, "backbone");
  add_embedding();
  for (const BackboneLayerOptions& layer : o_.layer_list()) add_layer(layer);
  if (o_.virtual_node) add_virtual_nodes();
}

void Backbone::add_embedding() {
  if (o_.embedding == InputEmbedding::tables) {
    if (o_.table_sizes.empty()) {
      throw ConfigError(
          "backbone.table_sizes: got none with embedding tables; expected one number per column");
    }
    for (std::size_t f = 0; f < o_.table_sizes.size(); ++f) {
      const Size values = o_.table_sizes[f];
      tables_.push_back(
          &parameter(fmt::format("embed.{}.weight", f), {values, o_.hidden}, glorot(values, o_.hidden)));
    }
    widths_.push_back(o_.hidden);
    return;
  }
  if (o_.in_channels < 1) {
    throw ConfigError(
        fmt::format("backbone.in_channels: got {}; expected at least 1 (width of x)", o_.in_channels));
  }
  const bool mapped = o_.embedding == InputEmbedding::linear;
  if (mapped) embed_ = &child("embed", std::make_unique<Linear>(o_.in_channels, o_.hidden));
  widths_.push_back(mapped ? o_.hidden : o_.in_channels);
}

void Backbone::add_layer(const BackboneLayerOptions& o) {
  const std::size_t k = layers_.size();
  Layer layer{.options = o};
  layer.conv = &child(fmt::format("convs.{}", k), make_layer_convolution(o, widths_.back(), o_.edge_dim));
  if (has_running_statistics(*layer.conv)) smallest_.nodes = 2;
  if (o.norm != "none") {
    const Value norm_options = part_options(o.norm_options, "norm_options", {"channels"});
    layer.norm = &child(fmt::format("norms.{}", k), make_norm(o.norm, o.hidden, norm_options));
    if (has_running_statistics(*layer.norm) && !flag(norm_options, "allow_single_element"))
      smallest_.nodes = 2;
  }
  widths_.push_back(layer.conv->out_dim());
  layers_.push_back(std::move(layer));
}

void Backbone::add_virtual_nodes() {
  const Size channels = widths_.front();
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (widths_[k] == channels) continue;
    throw ConfigError(
        fmt::format("backbone.virtual_node: layer {} reads width {}; expected {} as layer 0 does", k,
                    widths_[k], channels));
  }
  state_ = &parameter("virtual_node", {channels}, constant(0));
  Value options = part_options(o_.virtual_node_options, "virtual_node_options", {"channels"});
  options.set("channels", channels);
  const auto parsed = read_options<VirtualNodeOptions>(options, "backbone.virtual_node_options");
  for (std::size_t k = 0; k + 1 < layers_.size(); ++k) {
    layers_[k].virtual_node =
        &child(fmt::format("virtual_nodes.{}", k), std::make_unique<VirtualNode>(parsed));
    if (parsed.norm == VirtualNodeNorm::batch_norm) smallest_.graphs = 2;
  }
}

Var Backbone::embed(Tape& tape, const BackboneInput& in) {
  const Size nodes = in.graph.num_nodes();
  if (o_.embedding == InputEmbedding::tables) {
    std::vector<Var> tables;
    for (Parameter* table : tables_) tables.push_back(tape.parameter(*table));
    return embedding_sum(tape, in.ids, nodes, tables);
  }
  if (!in.x.given() || in.x.shape() != Shape{nodes, o_.in_channels}) {
    throw ShapeError(fmt::format("backbone: x is {}; expected [{}, {}] (nodes, in_channels)",
                                 in.x.given() ? in.x.shape().text() : "not given", nodes, o_.in_channels));
  }
  return embed_ != nullptr ? embed_->forward(in.x) : in.x;
}

Var Backbone::run_layer(const Layer& layer, const BackboneInput& in, Var y) {
  GraphInput graph{.x = y, .graph = in.graph};
  const EdgeInput reads = layer.conv->edge_input();
  if (reads == EdgeInput::weight) graph.edge_attr = in.edge_weight;
  if (reads == EdgeInput::features && o_.edge_dim) graph.edge_attr = in.edge_attr;
  const BackboneLayerOptions& o = layer.options;
  Var h = layer.conv->forward(graph);
  h = layer.norm != nullptr ? layer.norm->forward(h, in.sets, o.activation) : activate(h, o.activation);
  h = dropout(h, o.dropout);
  return o.residual && h.cols() == y.cols() ? add(h, y) : h;
}

std::vector<Var> Backbone::forward(Tape& tape, const BackboneInput& in) {
  in.sets.require_cover("backbone", in.graph.num_nodes());
  std::vector<Var> history{embed(tape, in)};
  Var state;  // [B, C]
  if (state_ != nullptr) {
    const Var start = reshape(tape.parameter(*state_), {1, widths_.front()});
    state = spread_over_sets(start, Segments::uniform(1, in.sets.count()));
  }
  for (const Layer& layer : layers_) {
    const Var y = state_ != nullptr ? add_per_set(history.back(), state, in.sets) : history.back();
    history.push_back(run_layer(layer, in, y));
    if (layer.virtual_node != nullptr) state = layer.virtual_node->write(y, state, in.sets);
  }
  return history;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
