#include "tarn/pooling/readouts/glot.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/elementwise.hpp"
#include "tarn/core/ops/segment_pool.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

Glot::Glot(const Options& o) : Readout("glot", o), o_(o) {
  if (o.num_layers == 0 && o.jk != JumpingKnowledge::cat) {
    throw ConfigError(fmt::format("glot.jk: got \"{}\" with num_layers 0; expected cat",
                                  enum_names(o.jk)[static_cast<std::size_t>(o.jk)]));
  }
  for (Size l = 0; l < o.num_layers; ++l) {
    convs_.push_back(
        &child(fmt::format("convs.{}", l), make_convolution(l == 0 ? o.in_channels : o.hidden_channels)));
  }
  const Size out = out_dim(o.in_channels);
  const Size scorer = o.scorer_hidden > 0 ? o.scorer_hidden : std::max<Size>(128, out / 2);
  score_layer_ = &child("score_layer", std::make_unique<Chain>(std::initializer_list<Size>{out, scorer, 1},
                                                               ChainNorm::none, Activation::tanh));
}

Size Glot::out_dim(Size in_dim) const {
  return o_.jk == JumpingKnowledge::cat ? in_dim + o_.num_layers * o_.hidden_channels : o_.hidden_channels;
}

RowOrder Glot::row_order() const {
  return o_.graph == TokenRule::window ? RowOrder::read : RowOrder::ignored;
}

std::unique_ptr<Convolution> Glot::make_convolution(Size in_dim) const {
  const auto& entry = convolutions().at(o_.conv);
  Value options;
  options.set("in_channels", in_dim);
  options.set("out_channels", o_.hidden_channels);
  if (entry.has_option("heads")) {
    options.set("heads", o_.heads);
    options.set("concat", false);
  } else if (o_.heads != 1) {
    throw ConfigError(
        fmt::format("glot.heads: got {} with conv {}; expected 1 (it has no heads)", o_.heads, o_.conv));
  }
  if (entry.has_option("edge_dim")) options.set("edge_dim", 1);
  if (entry.has_option("hidden")) options.set("norm", "batch-norm");
  auto convolution = entry.make(options);
  if (o_.edge_attr == TokenEdgeAttr::cosine && convolution->edge_input() == EdgeInput::none) {
    throw ConfigError(fmt::format(
        "glot.edge_attr: got \"cosine\" with conv {}; expected one (it takes no edge input)", o_.conv));
  }
  return convolution;
}

const TokenGraph& Glot::graph_of(const SetInput& in) {
  if (in.graph != nullptr) return *in.graph;
  built_ = token_graph(in.x.value(), in.sets, o_, KeepCosines::if_edge_attr, "glot");
  return built_;
}

Var Glot::edge_attr(Tape& tape, const TokenGraph& graph) const {
  if (convs_.empty() || convs_[0]->edge_input() == EdgeInput::none) return {};
  const Size edges = graph.graph.num_edges();
  if (o_.edge_attr == TokenEdgeAttr::cosine) {
    return tape.input(ConstMatrixView(graph.cosine.data(), edges, 1), {edges, 1});
  }
  const MatrixView ones = tape.allocate({edges, 1});
  std::fill_n(ones.data, edges, Real{1});
  return tape.input(ones, {edges, 1});
}

std::vector<Var> Glot::join_layers(std::vector<Var> layers) const {
  if (o_.jk == JumpingKnowledge::cat) return layers;
  if (o_.jk == JumpingKnowledge::last) return {layers.back()};
  const std::span<const Var> refined = std::span(layers).subspan(1);
  return {o_.jk == JumpingKnowledge::max ? maximum(refined) : average(refined)};
}

Pooled Glot::pool(const SetInput& in) {
  const TokenGraph& graph = graph_of(in);
  const Var attr = edge_attr(in.x.tape(), graph);  // [E, 1]
  std::vector<Var> layers{in.x};
  for (Convolution* conv : convs_) {
    const Var h = conv->forward({.x = layers.back(), .graph = graph.graph, .edge_attr = attr});
    layers.push_back(dropout(relu(h), o_.dropout));  // [N, C]
  }
  const std::vector<Var> blocks = join_layers(std::move(layers));  // together [N, out]
  const Var scores = score_layer_->forward(blocks, "glot");        // [N, 1]
  const auto [y, weights] = segment_pool(scores, blocks, in.sets);
  return {y, weights, &graph};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
