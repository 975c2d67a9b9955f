#include "tarn/experiments/benchmarks/graph_benchmarks.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/graphs/chord_graphs.hpp"
#include "tarn/experiments/benchmarks/workload.hpp"
#include "tarn/experiments/graphs/graph_run_data.hpp"
#include "tarn/experiments/graphs/graph_source.hpp"
#include "tarn/experiments/statistics.hpp"
#include "tarn/graph/ops/aggregate.hpp"
#include "tarn/graph/ops/edge_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <utility>

namespace tarn {

namespace {

constexpr Size folds = 10;
constexpr Size epochs_of_run = 350;
constexpr Size timed_epochs = 10;
constexpr Size channels = 64;

constexpr std::array<const char*, 3> tu_sets = {"MUTAG", "PROTEINS", "IMDB-BINARY"};
constexpr std::array<const char*, 7> timed_readouts = {
    "sum", "mean", "max", "histograph", "jumping-knowledge", "gin-readout", "scalar-mix"};

GraphPreset preset_of(const std::string& dataset) {
  const bool embedded = dataset == "graphs-demo";
  return {.name = dataset, .set = embedded ? "" : dataset, .embedded = embedded};
}

/// The defaults of `tarn run` under gin-cv for one readout: the model and batch of Xu et al.
Value configuration(const std::string& dataset, const std::string& readout) {
  Value given{Value::Table{}};
  given.set("protocol", "gin-cv");
  given.set("readouts", Value::List{readout});
  given.set("folds", folds);
  return resolve_graph_run(given, preset_of(dataset));
}

/// Sets are read once, when the first benchmark asks for them.
class GraphSets {
 public:
  const GraphRunData& get(const std::string& dataset) {
    auto& slot = sets_[dataset];
    if (!slot) {
      const GraphPlan plan = GraphPlan::read(configuration(dataset, timed_readouts[0]));
      slot = std::make_unique<GraphRunData>(load_graph_run(plan, preset_of(dataset)));
    }
    return *slot;
  }

 private:
  std::map<std::string, std::unique_ptr<GraphRunData>> sets_;
};

std::unique_ptr<GraphModel> model_of(const GraphPlan& plan, const GraphRunData& data) {
  const std::string& readout = plan.run.readouts.front();
  return make_graph_model(
      plan.model, readout, *plan.readouts.find(readout),
      {.feature_dim = data.set.feature_dim(), .edge_dim = data.set.edge_dim(), .outputs = data.task.outputs});
}

TrainingHistory train_fold(const GraphPlan& plan, const GraphRunData& data, const Fold& fold, Size epochs) {
  const std::unique_ptr<GraphModel> model = model_of(plan, data);
  GraphTrainingOptions options = plan.training(plan.run.readouts.front(), Rng(0).split("benchmark"));
  options.epochs = epochs;
  return train_graphs(*model, {data.set, data.task, fold}, options);
}

/// Epochs of one model on one thread. The first one fills memory and does not count.
void bench_epoch(State& state, GraphSets& sets, const std::string& dataset, const std::string& readout) {
  const GraphRunData& data = sets.get(dataset);
  const GraphPlan plan = GraphPlan::read(configuration(dataset, readout));
  Fold fold = data.fold(0, 0);
  fold.test.clear();
  const Threads one(1);
  const auto count = static_cast<Size>(state.max_iterations);
  const TrainingHistory history = train_fold(plan, data, fold, count + 1);
  std::vector<double> seconds;
  for (auto _ : state) {
    seconds.push_back(history.epochs[seconds.size() + 1].seconds);
    state.SetIterationTime(seconds.back());
  }
  const double per_epoch = median(seconds);
  state.counters["s/epoch"] = per_epoch;
  state.counters["fastest"] = *std::min_element(seconds.begin(), seconds.end());
  state.counters["graphs/s"] = static_cast<double>(fold.train.size()) / per_epoch;
}

void bench_run(State& state, GraphSets& sets, const std::string& dataset, const std::string& readout) {
  const GraphRunData& data = sets.get(dataset);
  const GraphPlan plan = GraphPlan::read(configuration(dataset, readout));
  const double seconds = timed(state, [&] {
    for_jobs(data.num_folds(),
             [&](Size k) { static_cast<void>(train_fold(plan, data, data.fold(0, k), timed_epochs)); });
  });
  state.counters["epochs timed"] = static_cast<double>(timed_epochs);
  state.counters["s/run"] = seconds * static_cast<double>(epochs_of_run) / static_cast<double>(timed_epochs);
}

void bench_read(State& state, const std::string& dataset) {
  const std::filesystem::path path = find_tu_set(dataset, "");
  Size nodes = 0;
  const double seconds = timed(state, [&] { nodes = read_graphs(path).num_nodes(); });
  state.counters["nodes/s"] = static_cast<double>(nodes) / seconds;
}

/// Small graphs of degree 3 side by side, about 260,000 nodes.
Graph many_small_graphs() {
  const GraphSet set = GraphSet::make(generate_chord_graphs({.graphs = 11000}));
  std::vector<Graph> graphs;
  for (Size g = 0; g < set.num_graphs(); ++g) graphs.push_back(set.graph(g));
  return Graph::join(graphs);
}

enum class Kernel { gin, gcn };

/// What one pass must move: x and the sums once, the edges and where each node's begin once.
double aggregated_bytes(const Graph& graph) {
  const auto nodes = static_cast<double>(graph.num_nodes()), edges = static_cast<double>(graph.num_edges());
  return 2 * nodes * channels * sizeof(Real) + edges * sizeof(NodeId) + nodes * sizeof(Size);
}

void bench_aggregate(State& state, Kernel kernel) {
  const Graph graph = many_small_graphs();
  Tensor x({graph.num_nodes(), channels});
  for (Size i = 0; i < x.size(); ++i) {
    x.data()[i] = static_cast<Real>(Rng(1).uniform(static_cast<std::uint64_t>(i)));
  }
  Tensor eps({1});
  eps.fill(0);
  Tape tape;
  const auto work = [&] {
    tape.reset();
    EdgeSum in{.graph = graph, .x = tape.input(x)};
    if (kernel == Kernel::gin) {
      in.centre = tape.input(eps);
    } else {
      const GcnWeights weights = gcn_weights(tape, graph, {}, true, 1);
      in.weights = weights.edges;
      in.loop_weights = weights.loops;
      in.roots = weights.roots;
    }
    benchmark::DoNotOptimize(edge_sum(in).value().data);
  };
  // The arena grows to its size.
  work();
  work();
  count_bytes(state, aggregated_bytes(graph), time_iterations(state, work));
}

/// Why a set cannot be had; "" if it can.
std::string unavailable(const std::string& dataset) {
  try {
    static_cast<void>(find_tu_set(dataset, ""));
    return "";
  } catch (const IoError& error) {
    return error.what();
  }
}

}  // namespace

std::vector<BenchmarkEntry> graph_benchmarks() {
  std::vector<BenchmarkEntry> entries;
  const auto sets = std::make_shared<GraphSets>();
  const auto add_set = [&](const std::string& dataset, const std::string& missing) {
    for (const std::string readout : timed_readouts) {
      const std::string name = fmt::format("graphs/{}/{}", dataset, readout);
      entries.push_back({name, [=](State& s) { bench_epoch(s, *sets, dataset, readout); }, missing});
      entries.push_back(
          {name + "/gin-cv", [=](State& s) { bench_run(s, *sets, dataset, readout); }, missing});
    }
  };
  add_set("graphs-demo", "");
  for (const std::string dataset : tu_sets) {
    const std::string missing = unavailable(dataset);
    add_set(dataset, missing);
    entries.push_back({"graphs/read/" + dataset, [=](State& s) { bench_read(s, dataset); }, missing});
  }
  for (const auto& [kernel, name] : {std::pair{Kernel::gin, "gin"}, std::pair{Kernel::gcn, "gcn"}}) {
    entries.push_back({std::string("graphs/aggregate/") + name,
                       [kernel = kernel](State& s) { bench_aggregate(s, kernel); }});
  }
  return entries;
}

}  // namespace tarn
