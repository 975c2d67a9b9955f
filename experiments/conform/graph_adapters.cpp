#include "tarn/experiments/conform/graph_adapters.hpp"

#include "tarn/core/options.hpp"
#include "tarn/graph/convolutions/convolution.hpp"
#include "tarn/graph/norms/norm.hpp"
#include "tarn/graph/ops/edge_data.hpp"
#include "tarn/graph/virtual_node.hpp"

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

}  // namespace

inline namespace TARN_PRECISION {

std::vector<Adapter> graph_adapters() {
  return {
      {"convolution", [] { return convolutions().names(); }, run_convolution},
      {"norm", [] { return norms().names(); }, run_norm},
      {"virtual node", [] { return std::vector<std::string>{"virtual-node"}; }, run_virtual_node},
  };
}

}  // namespace TARN_PRECISION
}  // namespace tarn
