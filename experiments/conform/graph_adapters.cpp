#include "tarn/experiments/conform/graph_adapters.hpp"

#include "tarn/core/options.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/norms/norm.hpp"
#include "tarn/graph/ops/edge_data.hpp"
#include "tarn/graph/virtual_node.hpp"
#include "tarn/pooling/layer_pools/layer_pool.hpp"

#include <fmt/format.h>

namespace tarn {

namespace {

void run_convolution(CaseRun& run) {
  const std::shared_ptr<Convolution> conv = convolutions().make(run.golden().op, run.golden().user_options());
  run.keep(conv);
  run.load(*conv);
  GraphInput in{.x = run.input("x"), .graph = run.graph()};
  if (run.has("offsets")) require_edges_inside(run.golden().op, in.graph, run.sets());
  for (const char* name : {"edge_attr", "edge_weight"}) {
    if (run.has(name)) in.edge_attr = canonical_edge_attr(in.graph, run.input(name));
  }
  run.output("y", conv->forward(in));
}

void run_norm(CaseRun& run) {
  const std::shared_ptr<Norm> norm = norms().make(run.golden().op, run.golden().user_options());
  run.keep(norm);
  run.load(*norm);
  run.output("y", norm->forward(run.input("x"), run.sets()));
  for (const auto& [name, state] : norm->state()) {
    if (state->trainable) continue;
    const auto values = state->value.flat();
    run.output(name + "_after", std::vector<double>(values.begin(), values.end()));
  }
}

void run_virtual_node(CaseRun& run) {
  const auto options = read_options<VirtualNodeOptions>(run.golden().user_options(), run.golden().op);
  const auto node = std::make_shared<VirtualNode>(options);
  run.keep(node);
  run.load(*node);
  const Segments sets = run.sets();
  const Var state = run.input("state"), y = node->read(run.input("x"), state, sets);
  run.output("y", y);
  run.output("state", node->write(y, state, sets));
}

void run_layer_pool(CaseRun& run) {
  const std::shared_ptr<LayerPool> pool = layer_pools().make(run.golden().op, run.golden().user_options());
  run.keep(pool);
  run.load(*pool);
  std::vector<Var> layers;
  if (run.has("history")) layers = history_layers(run.input("history"));
  for (Size l = 0; run.has(fmt::format("layer.{}", l)); ++l)
    layers.push_back(run.input(fmt::format("layer.{}", l)));
  const LayerPooled pooled = pool->forward({.layers = layers, .sets = run.sets()});
  run.output("y", pooled.y);
  const auto also = [&](const char* name, Var v) {
    if (run.golden().outputs.contains(name)) run.output(name, v);
  };
  also("layer_weights", pooled.layer_weights);
  also("nodes", pooled.nodes);
}

}  // namespace

inline namespace TARN_PRECISION {

std::vector<Adapter> graph_adapters() {
  return {
      {"convolution", [] { return convolutions().names(); }, run_convolution},
      {"norm", [] { return norms().names(); }, run_norm},
      {"virtual node", [] { return std::vector<std::string>{"virtual-node"}; }, run_virtual_node},
      {"layer pool", [] { return layer_pools().names(); }, run_layer_pool},
  };
}

}  // namespace TARN_PRECISION
}  // namespace tarn
