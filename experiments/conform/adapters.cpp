#include "tarn/experiments/conform/adapters.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/options.hpp"
#include "tarn/datasets/synthetic_encoder.hpp"
#include "tarn/experiments/conform/graph_adapters.hpp"
#include "tarn/experiments/conform/healpix_adapters.hpp"
#include "tarn/experiments/conform/mesh_adapters.hpp"
#include "tarn/experiments/conform/readout_adapters.hpp"
#include "tarn/experiments/metrics.hpp"
#include "tarn/pooling/heads/head.hpp"
#include "tarn/pooling/losses/loss.hpp"
#include "tarn/pooling/normalisers/normaliser.hpp"
#include "tarn/pooling/readouts/readout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <string_view>

namespace tarn {

namespace {

Tensor real_tensor(const GoldenTensor& golden) {
  Tensor t(golden.shape);
  std::transform(golden.values.begin(), golden.values.end(), t.data(),
                 [](double v) { return static_cast<Real>(v); });
  return t;
}

std::vector<double> doubles(ConstMatrixView m) {
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(m.size()));
  for (Size i = 0; i < m.rows; ++i) {
    for (Size j = 0; j < m.cols; ++j) result.push_back(static_cast<double>(m(i, j)));
  }
  return result;
}

/// [2, E]: sources, then targets, by source and then target, as goldens list token graphs.
std::vector<double> edge_list(const Graph& graph) {
  const Adjacency out = graph.outgoing();
  std::vector<double> from, to;
  for (Size i = 0; i < graph.num_nodes(); ++i) {
    const Rows run = out.positions(i);
    for (Size p = run.begin; p < run.end; ++p) {
      from.push_back(static_cast<double>(i));
      to.push_back(static_cast<double>(out.nodes[static_cast<std::size_t>(p)]));
    }
  }
  from.insert(from.end(), to.begin(), to.end());
  return from;
}

/// The name that the case gives to its main output: `y`, or `out` in the file of readouts.
std::string main_output(const CaseRun& run) {
  return run.golden().outputs.contains("out") ? "out" : "y";
}

void run_readout(CaseRun& run) {
  const GoldenCase& golden = run.golden();
  const std::shared_ptr<Readout> readout =
      make_readout(golden.op, golden.input("x").shape[-1], golden.user_options());
  run.keep(readout);
  run.load(*readout);
  const auto integers = [&](const char* name) {
    return run.has(name) ? run.integers(name) : std::vector<Size>();
  };
  const std::vector<Size> order = integers("order"), grid = integers("grid");
  const Pooled pooled = readout->forward(
      {.x = run.input("x"), .sets = run.sets(), .weight = run.input("weight"), .order = order, .grid = grid});
  run.output(main_output(run), pooled.y);
  if (run.golden().outputs.contains("weights")) run.output("weights", pooled.weights);
  if (run.golden().outputs.contains("edges")) run.output("edges", edge_list(pooled.graph->graph));
}

void run_head(CaseRun& run) {
  const std::shared_ptr<Head> head = heads().make(run.golden().op, run.golden().user_options());
  run.keep(head);
  run.load(*head);
  const bool pair = head->inputs() == HeadInputs::pair;
  run.output("y", pair ? head->forward(run.input("a"), run.input("b")) : head->forward(run.input("z"), {}));
}

void run_loss(CaseRun& run) {
  const auto loss = losses().make(run.golden().op, run.golden().user_options());
  run.output("loss", loss->forward(run.input("a"), run.input("b"), run.input("labels")));
}

void run_normaliser(CaseRun& run) {
  const auto normaliser = normalisers().make(run.golden().op, run.golden().user_options());
  run.output("weights", normaliser->forward({run.input("scores"), run.sets(), run.input("noise")}));
}

void run_token_graph(CaseRun& run) {
  const auto options = read_options<TokenGraphOptions>(run.golden().user_options(), "token-graph");
  const Tensor x = real_tensor(run.golden().input("x"));
  const TokenGraph graph = token_graph(x.matrix(), run.sets(), options, KeepCosines::always);
  run.output("edges", edge_list(graph.graph));
  run.output("cosine", std::vector<double>(graph.cosine.begin(), graph.cosine.end()));
}

/// The encoder's options, and the words that it encodes.
struct EncodeOptions : SyntheticEncoderOptions {
  std::string text;

  void fields(Fields& f) {
    SyntheticEncoderOptions::fields(f);
    f("text", text, "words, separated by single spaces");
  }
};

void run_synthetic_encoder(CaseRun& run) {
  const auto options = read_options<EncodeOptions>(run.golden().user_options(), run.golden().op);
  std::vector<std::string_view> words;
  for (const auto word : std::views::split(options.text, ' ')) words.emplace_back(word.begin(), word.end());
  run.output("x", doubles(SyntheticEncoder(options).encode(words).matrix()));
}

void run_metrics(CaseRun& run) {
  const std::vector<Size> predictions = run.integers("predictions"), labels = run.integers("labels");
  const auto& scores = run.golden().input("scores").values;
  const auto& targets = run.golden().input("targets").values;
  run.output("accuracy", std::vector{accuracy(predictions, labels)});
  run.output("f1", std::vector{f1(predictions, labels)});
  run.output("mcc", std::vector{mcc(predictions, labels)});
  run.output("pearson", std::vector{pearson(scores, targets)});
  run.output("spearman", std::vector{spearman(scores, targets)});
}

std::function<std::vector<std::string>()> one_name(std::string name) {
  return [name = std::move(name)] { return std::vector{name}; };
}

}  // namespace

inline namespace TARN_PRECISION {

CaseRun::CaseRun(const GoldenCase& golden) : golden_(golden) {
  tape_.reset({.training = golden.training(), .rng = Rng(0)});
}

Var CaseRun::input(const std::string& name) {
  if (const auto it = input_vars_.find(name); it != input_vars_.end()) return it->second;
  const auto it = golden_.inputs.find(name);
  if (it == golden_.inputs.end()) return {};
  const Tensor& t = tensors_.emplace(name, real_tensor(it->second)).first->second;
  return input_vars_[name] = tape_.input(t, NeedsGrad::yes);
}

std::vector<Size> CaseRun::integers(const std::string& name) const {
  const GoldenTensor& tensor = golden_.input(name);
  if (tensor.integers) return tensor.whole;
  return {tensor.values.begin(), tensor.values.end()};
}

Segments CaseRun::sets() const {
  return Segments(integers("offsets"));
}

Graph CaseRun::graph() {
  const std::vector<Size> edges = integers("edges");
  const std::vector<NodeId> ids(edges.begin(), edges.end());
  const std::size_t count = ids.size() / 2;
  return Graph::from_edges(input("x").rows(), std::span(ids).first(count), std::span(ids).subspan(count));
}

void CaseRun::load(Module& module) {
  module_ = &module;
  module.init(Rng(0));
  for (const auto& [name, tensor] : golden_.parameters) module.load(name, tensor.shape, tensor.values);
}

void CaseRun::output(const std::string& name, Var v) {
  output_vars_[name] = v;
  outputs_[name] = doubles(v.value());
}

void CaseRun::output(const std::string& name, std::vector<double> values) {
  outputs_[name] = std::move(values);
}

void CaseRun::output(const std::string& name, std::vector<Size> values) {
  outputs_[name] = std::vector<double>(values.begin(), values.end());
  whole_outputs_[name] = std::move(values);
}

void CaseRun::finish() {
  std::vector<std::pair<Var, ConstMatrixView>> seeds;
  for (const auto& [name, cotangent] : golden_.cotangents) {
    const auto it = output_vars_.find(name);
    if (it == output_vars_.end())
      throw DataError(fmt::format("{}: cotangent of '{}'; no such output", golden_.where(), name));
    const Tensor& t = cotangents_.emplace(name, real_tensor(cotangent)).first->second;
    const ConstMatrixView y = it->second.value();
    if (t.size() != y.size()) {
      throw ShapeError(fmt::format("{}: cotangent of '{}' is {}; the output is {}", golden_.where(), name,
                                   t.shape().text(), it->second.shape().text()));
    }
    seeds.emplace_back(it->second, ConstMatrixView(t.data(), y.rows, y.cols));
  }
  if (seeds.empty()) return;
  tape_.backward(seeds);
  for (const auto& [name, v] : input_vars_) gradients_["inputs/" + name] = doubles(tape_.grad(v));
  if (module_ == nullptr) return;
  settle_grads(module_->parameters());
  for (const auto& [name, p] : module_->state()) {
    if (p->trainable) gradients_["parameters/" + name] = doubles(std::as_const(p->grad).matrix());
  }
}

const std::vector<Adapter>& adapters() {
  static const std::vector<Adapter> all = [] {
    std::vector<Adapter> list = {
        {"readout", [] { return readouts().names(); }, run_readout},
        {"head", [] { return heads().names(); }, run_head},
        {"loss", [] { return losses().names(); }, run_loss},
        {"normaliser", [] { return normalisers().names(); }, run_normaliser},
        {"graph builder", one_name("token-graph"), run_token_graph},
        {"encoder", one_name("synthetic-encoder"), run_synthetic_encoder},
        {"metrics", one_name("metrics"), run_metrics},
    };
    for (const auto& family : {readout_adapters(), graph_adapters(), healpix_adapters(), mesh_adapters()})
      list.insert(list.end(), family.begin(), family.end());
    return list;
  }();
  return all;
}

const Adapter* find_adapter(const std::string& op) {
  for (const Adapter& adapter : adapters()) {
    const std::vector<std::string> names = adapter.names();
    if (std::find(names.begin(), names.end(), op) != names.end()) return &adapter;
  }
  return nullptr;
}

}  // namespace TARN_PRECISION
}  // namespace tarn
