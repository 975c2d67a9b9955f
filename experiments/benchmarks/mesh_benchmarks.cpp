#include "tarn/experiments/benchmarks/mesh_benchmarks.hpp"

#include "tarn/core/losses.hpp"
#include "tarn/core/optimiser.hpp"
#include "tarn/datasets/mesh/shapes.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/graph/mesh/edge_pool.hpp"
#include "tarn/graph/mesh/mesh_batch.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"

#include <memory>

namespace tarn {

namespace {

constexpr Size meshes_per_batch = 16;
constexpr Size num_classes = 30;

/// 2 n m faces; every mesh with its own jitter.
std::vector<TriangleMesh> tori(Size count, Size n, Size m) {
  std::vector<TriangleMesh> meshes;
  for (Size i = 0; i < count; ++i) {
    meshes.push_back(jitter_vertices(make_torus(n, m), 0.1,
                                     Rng(0).split("benchmark").split(static_cast<std::uint64_t>(i))));
  }
  return meshes;
}

MeshBatch batch_of(const std::vector<TriangleMesh>& meshes) {
  std::vector<PrimalDualMesh> parts;
  for (const TriangleMesh& mesh : meshes) parts.push_back(primal_dual_mesh(mesh));
  std::vector<const PrimalDualMesh*> pointers;
  for (const PrimalDualMesh& part : parts) pointers.push_back(&part);
  return join_meshes(pointers, DualConfiguration::A);
}

void count_meshes(State& state, Size meshes, double seconds) {
  state.counters["ms/mesh"] = 1e3 * seconds / static_cast<double>(meshes);
}

/// Cleaning, both graphs and features, one mesh after another.
void bench_graphs(State& state, Size count, Size n, Size m) {
  const std::vector<TriangleMesh> meshes = tori(count, n, m);
  const double seconds = timed(state, [&] {
    for (const TriangleMesh& mesh : meshes) {
      const PrimalDualMesh graph = primal_dual_mesh(clean_mesh(mesh).mesh);
      const PrimalPairs pairs = graph.primal();
      benchmark::DoNotOptimize(PrimalDualGraph::build({&pairs, 1}, DualConfiguration::A));
    }
  });
  count_meshes(state, count, seconds);
}

/// Contraction of a fifth of the edges, features of 192 channels on both graphs along.
void bench_pool(State& state, Size count, Size n, Size m) {
  constexpr Size channels = 192;
  const MeshBatch batch = batch_of(tori(count, n, m));
  Tensor x({batch.graph.num_nodes(), channels}), x_dual({batch.graph.num_dual_nodes(), channels});
  Tensor attention({batch.graph.primal().num_edges(), 3});
  for (Size i = 0; i < attention.size(); ++i) {
    attention.data()[i] = static_cast<Real>(Rng(1).uniform(static_cast<std::uint64_t>(i)));
  }
  EdgePoolOptions options;
  options.fraction_primal_edges_to_keep = 0.8;
  Tape tape;
  const double seconds = timed(state, [&] {
    tape.reset();
    const DualPrimal in{tape.input(x), tape.input(x_dual), batch.graph};
    benchmark::DoNotOptimize(pool_edges(in, tape.input(attention), options).record.contracted);
  });
  count_meshes(state, count, seconds);
}

Value widths(std::initializer_list<Size> list) {
  return Value::List(list.begin(), list.end());
}

/// The published classifier of 30 classes.
Value classifier_options(const char* readout) {
  Value o;
  o.set("num_classes", num_classes);
  o.set("heads", 3);
  o.set("num_res_blocks", 1);
  o.set("readout", readout);
  o.set("fractions_primal_edges_to_keep", Value::List{0.8, 0.8});
  return o;
}

/// The published segmenter of four parts.
Value unet_options() {
  Value o;
  o.set("num_classes", 4);
  o.set("num_res_blocks", 1);
  o.set("use_dual_primal_res_down_conv_blocks", true);
  o.set("conv_primal_out_res", widths({32, 64, 128}));
  o.set("conv_dual_out_res", widths({32, 64, 128}));
  o.set("fractions_primal_edges_to_keep", Value::List{0.7, 0.7});
  return o;
}

enum class Part { forward, step };

void bench_network(State& state, const char* name, const Value& options, Part part) {
  const auto network = mesh_networks().make(name, options);
  network->initialise(Rng(0));
  const auto optimiser = make_adam(network->parameters(), {.lr = 2e-4});
  const MeshBatch batch = batch_of(tori(meshes_per_batch, 10, 25));
  std::vector<Size> labels(static_cast<std::size_t>(
      network->task() == MeshTask::classification ? meshes_per_batch : batch.graph.num_nodes()));
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<Size>(i) % 4;
  Tape tape;
  const auto work = [&] {
    tape.reset({.training = part == Part::step});
    const Var logits = network->forward({tape.input(batch.x), tape.input(batch.x_dual), batch.graph});
    if (part == Part::forward) return;
    tape.backward(cross_entropy(logits, labels));
    optimiser->step();
  };
  // The arena grows to its size.
  work();
  work();
  const double seconds = timed(state, work);
  count_meshes(state, meshes_per_batch, seconds);
  state.counters["arena bytes"] = static_cast<double>(tape.arena().peak_bytes());
}

}  // namespace

std::vector<BenchmarkEntry> mesh_benchmarks() {
  std::vector<BenchmarkEntry> entries;
  const auto add = [&](std::string name, std::function<void(State&)> run) {
    entries.push_back({std::move(name), std::move(run)});
  };
  add("mesh/graphs/F500", [](State& s) { bench_graphs(s, meshes_per_batch, 10, 25); });
  add("mesh/graphs/F50000", [](State& s) { bench_graphs(s, 1, 100, 250); });
  add("mesh/pool/B16/F500", [](State& s) { bench_pool(s, meshes_per_batch, 10, 25); });
  add("mesh/pool/B1/F50000", [](State& s) { bench_pool(s, 1, 100, 250); });
  for (const auto& [part, label] : {std::pair{Part::forward, "forward"}, std::pair{Part::step, "step"}}) {
    const std::string prefix = std::string("mesh/") + label;
    for (const char* readout : {"dual", "both"}) {
      add(prefix + "/classifier/" + readout + "/B16/F500", [=, part = part](State& s) {
        bench_network(s, "pd-mesh-classifier", classifier_options(readout), part);
      });
    }
    add(prefix + "/unet/B16/F500",
        [part = part](State& s) { bench_network(s, "pd-mesh-unet-segmenter", unet_options(), part); });
  }
  return entries;
}

}  // namespace tarn
