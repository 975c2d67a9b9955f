#include "tarn/experiments/graphs/graph_model.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {

void GraphModelOptions::fields(Fields& f) {
  f("conv", conv, "convolution of the backbone");
  f("conv_options", conv_options, "its options, without widths");
  f("widths", widths, at_least(1), "width of each layer");
  f("norm", norm, "norm behind each convolution, or none");
  f("norm_options", norm_options, "its options");
  f("dropout", dropout, in_range(0, 1), "behind each layer");
  f("residual", residual, "add a layer's input to its output");
  f("virtual_node", virtual_node, "a state per graph that every layer reads and writes");
  f("edge_features", edge_features, "hand edge features to convolutions that take them");
  f("layer_readout", layer_readout, "readout behind layer pools that give node features");
  f("raw_input", raw_input, "layer 0 of the history is the raw features; null: for gin-readout alone");
  f("head_hidden", head_hidden, at_least(1), "hidden width of the head");
  f("head_dropout", head_dropout, in_range(0, 1), "in the head");
}

inline namespace TARN_PRECISION {

namespace {

/// linear - relu - dropout - linear, numbered as a list with the activation and the dropout.
class GraphHead final : public Module {
 public:
  GraphHead(Size in, Size hidden, Size outputs, double dropout)
      : first_(child("0", std::make_unique<Linear>(in, hidden))),
        last_(child("3", std::make_unique<Linear>(hidden, outputs))),
        dropout_(dropout) {}
  Var forward(Var x) { return last_.forward(dropout(first_.forward(x, Activation::relu), dropout_)); }

 private:
  Linear& first_;
  Linear& last_;
  double dropout_;
};

std::unique_ptr<GraphHead> make_head(const GraphModelOptions& o, Size in, Size outputs) {
  return std::make_unique<GraphHead>(in, o.head_hidden, outputs, o.head_dropout);
}

Var features_of(Tape& tape, const GraphBatch& batch) {
  return tape.input(batch.x, {batch.x.rows, batch.x.cols});
}

/// Sum of an MLP of the node features, then an MLP.
class EdgeFreeModel final : public GraphModel {
 public:
  EdgeFreeModel(const GraphModelOptions& o, const GraphModelShape& shape)
      : nodes_(
            child("nodes", std::make_unique<Chain>(
                               std::initializer_list<Size>{shape.feature_dim, o.head_hidden, o.head_hidden},
                               ChainNorm::none))),
        head_(child("head", make_head(o, o.head_hidden, shape.outputs))) {}

  Var forward(Tape& tape, const GraphBatch& batch) override {
    const Var h = relu(nodes_.forward(features_of(tape, batch), edge_free));
    return head_.forward(segment_reduce(h, batch.sets, Reduce::sum));
  }

 private:
  Chain& nodes_;
  GraphHead& head_;
};

BackboneOptions backbone_options(const GraphModelOptions& o, const GraphModelShape& shape) {
  BackboneOptions options;
  options.conv = o.conv;
  options.conv_options = o.conv_options;
  options.hidden = o.widths.front();
  options.norm = o.norm;
  options.norm_options = o.norm_options;
  options.dropout = o.dropout;
  options.residual = o.residual;
  options.layers = static_cast<Size>(o.widths.size());
  for (const Size width : o.widths) {
    Value layer;
    layer.set("hidden", width);
    options.layer_options.push_back(std::move(layer));
  }
  options.in_channels = shape.feature_dim;
  if (o.edge_features) {
    if (shape.edge_dim == 0) {
      throw ConfigError("model.edge_features: got true for a set without edge features; expected false");
    }
    options.edge_dim = shape.edge_dim;
  }
  options.virtual_node = o.virtual_node;
  return options;
}

/// A backbone whose history something reads.
class BackboneModel : public GraphModel {
 public:
  SmallestBatch smallest_batch() const override { return backbone_.smallest_batch(); }
  EdgeFeatures edge_features() const override { return edge_features_; }

 protected:
  BackboneModel(const GraphModelOptions& o, const GraphModelShape& shape)
      : backbone_(child("backbone", std::make_unique<Backbone>(backbone_options(o, shape)))),
        edge_features_(o.edge_features ? EdgeFeatures::read : EdgeFeatures::leave) {}

  std::vector<Var> history(Tape& tape, Var x, const GraphBatch& batch) {
    BackboneInput in{.x = x, .graph = batch.graph, .sets = batch.sets};
    if (edge_features_ == EdgeFeatures::read) {
      in.edge_attr = tape.input(batch.edge_attr, {batch.edge_attr.rows, batch.edge_attr.cols});
    }
    return backbone_.forward(tape, in);
  }
  [[nodiscard]] const std::vector<Size>& widths() const { return backbone_.widths(); }

 private:
  Backbone& backbone_;
  EdgeFeatures edge_features_;
};

/// A set readout on the last layer.
class LastLayerModel final : public BackboneModel {
 public:
  LastLayerModel(const GraphModelOptions& o, const std::string& readout, const Value& readout_options,
                 const GraphModelShape& shape)
      : BackboneModel(o, shape),
        readout_(child("readout", make_readout(readout, widths().back(), readout_options))),
        head_(child("head", make_head(o, readout_.out_dim(widths().back()), shape.outputs))) {}

  Var forward(Tape& tape, const GraphBatch& batch) override {
    const Var h = history(tape, features_of(tape, batch), batch).back();
    return head_.forward(readout_.forward({.x = h, .sets = batch.sets}).y);
  }

 private:
  Readout& readout_;
  GraphHead& head_;
};

/// A layer pool on the history, with a set readout where it gives node features.
class HistoryModel final : public BackboneModel {
 public:
  HistoryModel(const GraphModelOptions& o, const std::string& pool, const Value& pool_options,
               const GraphModelShape& shape)
      : BackboneModel(o, shape), raw_input_(o.raw_input.value_or(pool == "gin-readout")) {
    std::vector<Size> read = widths();
    if (raw_input_) read.front() = shape.feature_dim;
    const Value* combine = pool_options.find("combine");
    const bool gives_outputs =
        pool == "gin-readout" && (combine == nullptr || combine->is_null() || *combine == Value("sum"));
    Value options = pool_options;
    if (gives_outputs) options.set("out_channels", shape.outputs);
    pool_ = &child("layer_pool", make_layer_pool(pool, read, options));
    Size width = pool_->out_dim();
    if (pool_->level() == PooledLevel::nodes) {
      readout_ = &child("readout", make_readout(o.layer_readout, width));
      width = readout_->out_dim(width);
    }
    if (!gives_outputs) head_ = &child("head", make_head(o, width, shape.outputs));
  }

  Var forward(Tape& tape, const GraphBatch& batch) override {
    const Var x = features_of(tape, batch);
    std::vector<Var> layers = history(tape, x, batch);
    if (raw_input_) layers.front() = x;
    Var y = pool_->forward({.layers = layers, .sets = batch.sets}).y;
    if (readout_ != nullptr) y = readout_->forward({.x = y, .sets = batch.sets}).y;
    return head_ != nullptr ? head_->forward(y) : y;
  }
  std::vector<std::pair<std::string, double>> take_figures() override { return pool_->take_figures(); }
  std::vector<std::string> warnings() const override { return pool_->warnings(); }

 private:
  bool raw_input_;
  LayerPool* pool_ = nullptr;
  Readout* readout_ = nullptr;
  GraphHead* head_ = nullptr;
};

}  // namespace

std::unique_ptr<GraphModel> make_graph_model(const GraphModelOptions& options, const std::string& readout,
                                             const Value& readout_options, const GraphModelShape& shape) {
  check_options(options, "model");
  if (options.widths.empty()) throw ConfigError("model.widths: got []; expected at least one layer");
  if (readout == edge_free) return std::make_unique<EdgeFreeModel>(options, shape);
  if (layer_pools().find(readout) != nullptr) {
    return std::make_unique<HistoryModel>(options, readout, readout_options, shape);
  }
  return std::make_unique<LastLayerModel>(options, readout, readout_options, shape);
}

}  // namespace TARN_PRECISION
}  // namespace tarn
