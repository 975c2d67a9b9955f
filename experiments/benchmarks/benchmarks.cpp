#include "tarn/experiments/benchmarks/benchmarks.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/ops/segment_pool.hpp"
#include "tarn/datasets/token_batches.hpp"
#include "tarn/experiments/benchmarks/graph_benchmarks.hpp"
#include "tarn/experiments/benchmarks/mesh_benchmarks.hpp"
#include "tarn/experiments/benchmarks/normaliser_benchmarks.hpp"
#include "tarn/experiments/benchmarks/readout_benchmarks.hpp"
#include "tarn/experiments/benchmarks/sphere_benchmarks.hpp"
#include "tarn/experiments/benchmarks/workload.hpp"
#include "tarn/graph/builders/token_graph_cache.hpp"
#include "tarn/graph/convolutions/convolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>

namespace tarn {

namespace {

using benchmark::Counter;

constexpr GlotShape glot_shape;
constexpr WorkloadShape standard_case;
constexpr WorkloadShape long_case{.sets = 4, .tokens = 4096};

TokenGraphOptions graph_options() {
  TokenGraphOptions options;
  options.tau = glot_shape.tau;
  return options;
}

/// Workloads are made once, when the first benchmark asks for them, and shared.
class Inputs {
 public:
  const Workload& workload(const WorkloadShape& shape) {
    auto& slot = workloads_[shape.text()];
    if (!slot) slot = std::make_unique<Workload>(make_workload(shape));
    return *slot;
  }
  const TokenGraph& graph(const WorkloadShape& shape) {
    auto& slot = graphs_[shape.text()];
    if (!slot) {
      const Workload& w = workload(shape);
      slot = std::make_unique<TokenGraph>(token_graph(w.x.matrix(), w.sets, graph_options()));
    }
    return *slot;
  }

 private:
  std::map<std::string, std::unique_ptr<Workload>> workloads_;
  std::map<std::string, std::unique_ptr<TokenGraph>> graphs_;
};

void count_rows(State& state, double rows_per_iteration) {
  state.counters["rows/s"] = Counter(rows_per_iteration, Counter::kIsIterationInvariantRate);
}

/// Product operations per second, and their share of the machine's product rate measured right here.
void count_operations(State& state, double operations, double seconds_per_iteration) {
  const double rate = measure_product_rate();
  state.counters["GFLOP/s"] = operations / seconds_per_iteration * 1e-9;
  state.counters["product GFLOP/s"] = rate * 1e-9;
  state.counters["of product rate"] = operations / seconds_per_iteration / rate;
}

void bench_gemm(State& state, Size rows, Size inner, Size out, ProductPrecision precision) {
  Tensor a({rows, inner}), b({out, inner}), c({rows, out});
  a.fill(Real(0.5));
  b.fill(Real(0.25));
  const double seconds = timed(state, [&] {
    multiply(std::as_const(a).matrix(), Transpose::no, std::as_const(b).matrix(), Transpose::yes, c.matrix(),
             Write::assign, precision);
  });
  count_operations(state, 2.0 * static_cast<double>(rows * inner * out), seconds);
}

void bench_token_graph(State& state, Inputs& inputs, const WorkloadShape& shape) {
  const Workload& w = inputs.workload(shape);
  Size edges = 0;
  timed(state, [&] { edges = token_graph(w.x.matrix(), w.sets, graph_options()).graph.num_edges(); });
  count_rows(state, static_cast<double>(shape.rows()));
  const double pairs = static_cast<double>(shape.rows() * shape.tokens);
  state.counters["density"] = static_cast<double>(edges) / pairs;
}

void bench_gat(State& state, Inputs& inputs, const WorkloadShape& shape) {
  Value options;
  options.set("in_channels", glot_shape.hidden);
  options.set("out_channels", glot_shape.hidden);
  const auto gat = convolutions().make("gat", options);
  gat->init(Rng(0));
  Tensor x({shape.rows(), glot_shape.hidden});
  for (Size i = 0; i < x.size(); ++i)
    x.data()[i] = static_cast<Real>(Rng(1).normal(static_cast<std::uint64_t>(i)));
  const Graph graph = inputs.graph(shape).graph;
  Tape tape;
  timed(state, [&] {
    tape.reset({.training = true});
    const Var y = gat->forward({.x = tape.input(x, NeedsGrad::yes), .graph = graph});
    const std::pair<Var, ConstMatrixView> seed{y, y.value()};
    tape.backward(std::span(&seed, 1));
    for (Parameter* p : gat->parameters()) p->has_grad = false;
  });
  count_rows(state, static_cast<double>(shape.rows()));
  state.counters["arena bytes"] = static_cast<double>(tape.arena().peak_bytes());
}

void bench_attention_pool(State& state, Inputs& inputs, const WorkloadShape& shape) {
  const Workload& w = inputs.workload(shape);
  Tensor scores({shape.rows(), 1});
  Tape tape;
  timed(state, [&] {
    tape.reset({.training = true});
    const Var x = tape.input(w.x);
    const Var y = segment_pool(tape.input(scores, NeedsGrad::yes), {&x, 1}, w.sets).y;
    const std::pair<Var, ConstMatrixView> seed{y, y.value()};
    tape.backward(std::span(&seed, 1));
  });
  count_rows(state, static_cast<double>(shape.rows()));
}

enum class Part { forward, step };

void bench_glot(State& state, Inputs& inputs, const WorkloadShape& shape, Part part,
                ProductPrecision precision = ProductPrecision::full) {
  const Workload& w = inputs.workload(shape);
  const TokenGraph& graph = inputs.graph(shape);
  TrainedReadout model(make_glot(glot_shape, shape.dim), shape.dim, precision);
  const auto work = [&] {
    if (part == Part::forward) {
      model.forward(w.x.matrix(), w.sets, &graph);
    } else {
      model.step(w.x.matrix(), w.sets, w.labels, &graph);
    }
  };
  work();
  work();
  const std::size_t allocations = model.arena().system_allocations();
  const double seconds = timed(state, work);
  count_rows(state, static_cast<double>(shape.rows()));
  count_operations(state, glot_product_operations(shape, glot_shape, part == Part::step), seconds);
  state.counters["arena bytes"] = static_cast<double>(model.arena().peak_bytes());
  state.counters["new blocks"] = static_cast<double>(model.arena().system_allocations() - allocations);
}

/// A training epoch over a split as the stress test runs it: states in memory in their stored type, graphs
/// built or kept.
void bench_store_epoch(State& state, const BenchmarkOptions& options, bool graphs_kept,
                       ProductPrecision precision = ProductPrecision::full) {
  const TokenStore store = TokenStore::open(options.store);
  const TokenSplit split = store.split(options.split);
  const Size dim = store.info().hidden_size;
  TrainedReadout model(make_glot(glot_shape, dim), dim, precision);
  auto cache = std::make_unique<TokenGraphCache>(graph_options());
  const auto epoch = [&](Size number, bool train) {
    if (!graphs_kept) cache = std::make_unique<TokenGraphCache>(graph_options());
    BatchStream batches(split, {.batch_size = 32, .seed = 0, .epoch = number});
    while (auto batch = batches.next()) {
      const TokenBatch& text = batch->texts[0];
      const TokenGraph& graph = cache->batch(batch->rows, text.x.matrix(), text.sets);
      if (!train) continue;
      const std::vector<Size> labels(batch->labels.begin(), batch->labels.end());
      model.step(text.x.matrix(), text.sets, labels, &graph);
    }
  };
  if (graphs_kept) epoch(0, false);
  Size number = 1;
  timed(state, [&] { epoch(number++, true); });
  state.counters["texts/s"] = Counter(static_cast<double>(split.rows()), Counter::kIsIterationInvariantRate);
}

/// The graphs of a whole split, read in file order.
void bench_store_graphs(State& state, const BenchmarkOptions& options) {
  const TokenSplit split = TokenStore::open(options.store).split(options.split);
  std::vector<Size> rows(static_cast<std::size_t>(split.rows()));
  std::iota(rows.begin(), rows.end(), Size{0});
  const TokenBatch all = split.read(rows);
  timed(state, [&] { benchmark::DoNotOptimize(token_graph(all.x.matrix(), all.sets, graph_options())); });
  state.counters["texts/s"] = Counter(static_cast<double>(split.rows()), Counter::kIsIterationInvariantRate);
}

/// An epoch of 63 steps on one batch in memory: what stress/epoch is without a store.
void bench_memory_epoch(State& state, Inputs& inputs) {
  constexpr int steps = 63;
  const Workload& w = inputs.workload(standard_case);
  const TokenGraph& graph = inputs.graph(standard_case);
  TrainedReadout model(make_glot(glot_shape, standard_case.dim), standard_case.dim);
  const double seconds = timed(state, [&] {
    for (int i = 0; i < steps; ++i) model.step(w.x.matrix(), w.sets, w.labels, &graph);
  });
  count_operations(state, steps * glot_product_operations(standard_case, glot_shape, true), seconds);
}

std::vector<BenchmarkEntry> all_benchmarks(const std::shared_ptr<Inputs>& in,
                                           const BenchmarkOptions& options) {
  std::vector<BenchmarkEntry> entries;
  const auto add = [&](std::string name, std::function<void(State&)> run) {
    entries.push_back({std::move(name), std::move(run)});
  };
  constexpr ProductPrecision full = ProductPrecision::full, bf16 = ProductPrecision::bf16;
  add("gemm/4096x640x320", [](State& s) { bench_gemm(s, 4096, 640, 320, full); });
  add("gemm/4096x64x64", [](State& s) { bench_gemm(s, 4096, 64, 64, full); });
  add("gemm/bf16/4096x640x320", [](State& s) { bench_gemm(s, 4096, 640, 320, bf16); });
  for (const WorkloadShape& shape : {standard_case, long_case}) {
    add("token_graph/" + shape.text(), [=](State& s) { bench_token_graph(s, *in, shape); });
    add("gat/" + shape.text(), [=](State& s) { bench_gat(s, *in, shape); });
    add("attention_pool/" + shape.text(), [=](State& s) { bench_attention_pool(s, *in, shape); });
    add("glot/forward/" + shape.text(), [=](State& s) { bench_glot(s, *in, shape, Part::forward); });
    add("glot/step/" + shape.text(), [=](State& s) { bench_glot(s, *in, shape, Part::step); });
  }
  add("glot/step/bf16/" + standard_case.text(),
      [=](State& s) { bench_glot(s, *in, standard_case, Part::step, bf16); });
  if (options.store.empty()) {
    add("stress/epoch/63-steps", [=](State& s) { bench_memory_epoch(s, *in); });
  } else {
    add("stress/graphs/store", [=](State& s) { bench_store_graphs(s, options); });
    add("stress/epoch/store/graphs-built", [=](State& s) { bench_store_epoch(s, options, false); });
    add("stress/epoch/store/graphs-kept", [=](State& s) { bench_store_epoch(s, options, true); });
    add("stress/epoch/store/graphs-kept/bf16", [=](State& s) { bench_store_epoch(s, options, true, bf16); });
  }
  for (auto* const family :
       {graph_benchmarks, mesh_benchmarks, normaliser_benchmarks, readout_benchmarks, sphere_benchmarks}) {
    for (BenchmarkEntry& entry : family()) entries.push_back(std::move(entry));
  }
  return entries;
}

bool is_wanted(const std::string& name, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& part) {
           return name.find(part) != std::string::npos;
         });
}

/// Throws for a name that no benchmark holds.
void require_known(const std::vector<BenchmarkEntry>& entries, const std::vector<std::string>& wanted) {
  std::vector<std::string> known;
  for (const BenchmarkEntry& e : entries) known.push_back(e.name);
  for (const std::string& part : wanted) {
    const bool found =
        std::any_of(known.begin(), known.end(), [&](const std::string& n) { return is_wanted(n, {part}); });
    if (!found) throw ConfigError(fmt::format("unknown benchmark '{}'{}", part, suggestion(part, known)));
  }
}

}  // namespace

void run_benchmarks(const BenchmarkOptions& options) {
  const std::vector<BenchmarkEntry> entries = all_benchmarks(std::make_shared<Inputs>(), options);
  require_known(entries, options.names);
  benchmark::ClearRegisteredBenchmarks();
  std::string missing;
  Size registered = 0;
  for (const BenchmarkEntry& e : entries) {
    if (!is_wanted(e.name, options.names)) continue;
    if (!e.unavailable.empty()) {
      missing = e.unavailable;
      continue;
    }
    benchmark::RegisterBenchmark(e.name.c_str(), e.run)->UseManualTime()->Unit(benchmark::kMillisecond);
    ++registered;
  }
  if (registered == 0) throw IoError(missing);
  std::vector<std::string> arguments{"tarn"};
  if (!options.json.empty()) {
    arguments.push_back("--benchmark_out=" + options.json);
    arguments.push_back("--benchmark_out_format=json");
  }
  std::vector<char*> argv;
  for (std::string& a : arguments) argv.push_back(a.data());
  int argc = static_cast<int>(argv.size());
  benchmark::Initialize(&argc, argv.data());
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace tarn
