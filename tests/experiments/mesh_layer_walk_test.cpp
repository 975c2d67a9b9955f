#include "tarn/core/errors.hpp"

#include "experiments/mesh_walk.hpp"

using namespace tarn;
using namespace tarn::test;

namespace {

DualPrimalWidths widths_of(const GoldenCase& c) {
  return {c.input("x").shape[-1], c.input("x_dual").shape[-1]};
}

/// Amounts that fit the small meshes here: golden cases keep fixed numbers of edges.
Value fitting_options(const GoldenCase& c) {
  Value options = c.user_options();
  Value::Table kept;
  for (const auto& [name, value] : *options.table()) {
    if (name == "num_primal_edges_to_keep") {
      kept.emplace_back("fraction_primal_edges_to_keep", 0.8);
    } else if (name != "allow_pooling_consecutive_edges") {
      kept.emplace_back(name, value);
    }
  }
  return Value(kept);
}

/// Layers that take a batch of meshes, with features for them.
template <class Check>
void for_each_layer(Check check) {
  for (const GoldenCase& c : golden_cases("mesh layer")) {
    if (!c.inputs.contains("edges") || c.inputs.contains("attention")) continue;
    INFO(c.where());
    const auto configuration = configuration_of(c.options);
    std::vector<PrimalDualMesh> meshes = mixed_meshes(configuration);
    draw_features(meshes, widths_of(c));
    auto layer = mesh_layers().make(c.op, fitting_options(c));
    layer->init(Rng(5));
    check(c, *layer, std::move(meshes), configuration);
  }
}

MeshResult run(MeshLayer& layer, const MeshBatch& batch, bool training = false) {
  return run_on_meshes(layer, batch, training, [&](Tape&, const DualPrimal& in) {
    const MeshLayerResult result = layer.apply({.features = in});
    return std::vector<Var>{result.features.x, result.features.x_dual};
  });
}

}  // namespace

TEST_CASE("a mesh layer and its gradients have the same bits for 1, 2 and 7 threads",
          "[walk][mesh][threads]") {
  for_each_layer([](const GoldenCase&, MeshLayer& layer, const std::vector<PrimalDualMesh>& meshes,
                    DualConfiguration configuration) {
    std::vector<PrimalDualMesh> many;
    for (int repeat = 0; repeat < 12; ++repeat) {
      for (const PrimalDualMesh& m : meshes) {
        many.push_back({m.num_faces, m.pairs, m.x.clone(), m.x_dual.clone(), m.areas});
      }
    }
    std::vector<MeshResult> results;
    for (const int threads : {1, 2, 7}) {
      const Threads limit(threads);
      layer.init(Rng(5));  // running statistics start anew
      results.push_back(run(layer, batch_of(many, configuration), true));
    }
    for (const MeshResult& other : results) {
      CHECK(other.values == results[0].values);
      CHECK(other.gradients == results[0].gradients);
    }
  });
}

TEST_CASE("a mesh layer gives finite numbers and gradients on single faces and empty meshes",
          "[walk][mesh]") {
  for_each_layer([](const GoldenCase&, MeshLayer& layer, std::vector<PrimalDualMesh> meshes,
                    DualConfiguration configuration) {
    for (const bool training : {false, true}) {
      const MeshResult all = run(layer, batch_of(meshes, configuration), training);
      CHECK(all_finite(all.values));
      CHECK(all_finite(all.gradients));
    }
    // The single face, then nothing at all.
    meshes.erase(meshes.begin(), meshes.begin() + 3);
    const MeshResult face = run(layer, batch_of(meshes, configuration), true);
    CHECK(all_finite(face.values));
    CHECK(all_finite(face.gradients));
    meshes.erase(meshes.begin());
    CHECK(run(layer, batch_of(meshes, configuration), true).values.empty());
  });
}

TEST_CASE("a mesh layer outside training treats each mesh of a batch alone", "[walk][mesh]") {
  for_each_layer([](const GoldenCase& c, MeshLayer& layer, const std::vector<PrimalDualMesh>& meshes,
                    DualConfiguration configuration) {
    if (c.op == "dual-primal-down-conv") return;  // normalises over the batch, as the reference does
    const MeshResult together = run(layer, batch_of(meshes, configuration));
    std::vector<std::vector<Real>> alone(2);
    for (const PrimalDualMesh& m : meshes) {
      std::vector<PrimalDualMesh> one;
      one.push_back({m.num_faces, m.pairs, m.x.clone(), m.x_dual.clone(), m.areas});
      const MeshResult own = run(layer, batch_of(one, configuration));
      for (std::size_t k = 0; k < 2; ++k)
        alone[k].insert(alone[k].end(), own.blocks[k].begin(), own.blocks[k].end());
    }
    for (std::size_t k = 0; k < 2; ++k) check_close(together.blocks[k], alone[k]);
  });
}

TEST_CASE("a mesh layer with copied state gives the same bits", "[walk][mesh]") {
  for_each_layer([](const GoldenCase& c, MeshLayer& layer, const std::vector<PrimalDualMesh>& meshes,
                    DualConfiguration configuration) {
    const auto second = mesh_layers().make(c.op, fitting_options(c));
    copy_state(layer, *second);
    const MeshBatch batch = batch_of(meshes, configuration);
    CHECK(run(layer, batch).values == run(*second, batch).values);
  });
}

TEST_CASE("a mesh layer refuses wrong widths, rows and configurations", "[walk][mesh][errors]") {
  for_each_layer([](const GoldenCase& c, MeshLayer& layer, std::vector<PrimalDualMesh> meshes,
                    DualConfiguration configuration) {
    const MeshBatch good = batch_of(meshes, configuration);
    const auto with = [&](const Tensor& x, const Tensor& x_dual, const PrimalDualGraph& graph) {
      Tape tape;
      tape.reset();
      static_cast<void>(layer.apply({.features = {tape.input(x), tape.input(x_dual), graph}}));
    };
    const DualPrimalWidths w = widths_of(c);
    CHECK_NOTHROW(with(good.x, good.x_dual, good.graph));
    CHECK_THROWS_AS(with(random_tensor({good.x.shape()[0], w.primal + 1}, Rng(1)), good.x_dual, good.graph),
                    ShapeError);
    CHECK_THROWS_AS(with(random_tensor({good.x.shape()[0] + 1, w.primal}, Rng(1)), good.x_dual, good.graph),
                    ShapeError);
    CHECK_THROWS_AS(with(good.x, random_tensor({good.x_dual.shape()[0], w.dual + 1}, Rng(1)), good.graph),
                    ShapeError);
    const auto other = configuration == DualConfiguration::B ? DualConfiguration::C : DualConfiguration::B;
    std::vector<PrimalDualMesh> turned = mixed_meshes(other);
    draw_features(turned, w);
    const MeshBatch wrong = batch_of(turned, other);
    CHECK_THROWS_AS(with(wrong.x, wrong.x_dual, wrong.graph), ConfigError);
  });
}

TEST_CASE("dropout on primal attention reaches the pool and follows its seed", "[mesh][dropout]") {
  Value options;
  for (const auto& [name, value] : {std::pair{"in_channels_primal", 2}, std::pair{"in_channels_dual", 3},
                                    std::pair{"out_channels_primal", 4}, std::pair{"out_channels_dual", 4}}) {
    options.set(name, value);
  }
  options.set("dropout_primal", 0.5);
  options.set("dropout_dual", 0.25);
  const auto conv = mesh_layers().make("dual-primal-conv", options);
  conv->init(Rng(1));
  std::vector<PrimalDualMesh> meshes = mixed_meshes(DualConfiguration::A);
  draw_features(meshes, {2, 3});
  const MeshBatch batch = batch_of(meshes, DualConfiguration::A);
  const auto attention = [&](bool training, std::uint64_t seed) {
    Tape tape;
    tape.reset({.training = training, .rng = Rng(seed)});
    return numbers(conv->apply({.features = {tape.input(batch.x), tape.input(batch.x_dual), batch.graph}})
                       .attention.value());
  };
  const auto plain = attention(false, 1), dropped = attention(true, 1);
  CHECK(plain == attention(false, 2));
  CHECK(dropped == attention(true, 1));
  CHECK(dropped != attention(true, 2));
  const auto zeros = static_cast<double>(std::count(dropped.begin(), dropped.end(), Real{0}));
  CHECK(zeros > 0.35 * static_cast<double>(dropped.size()));
  CHECK(zeros < 0.65 * static_cast<double>(dropped.size()));
}

#if TARN_DOUBLE
TEST_CASE("gradients of mesh layers agree with central differences", "[walk][mesh][gradients]") {
  for (const GoldenCase& c : golden_cases("mesh layer")) {
    if (!c.inputs.contains("edges") || c.inputs.contains("attention")) continue;
    INFO(c.where());
    // Pooling chooses edges, which no difference may cross.
    Value::Table kept;
    const Value options = c.user_options();
    for (const auto& [name, value] : *options.table()) {
      if (name.find("to_keep") == std::string::npos && name.find("threshold") == std::string::npos)
        kept.emplace_back(name, value);
    }
    const auto configuration = configuration_of(c.options);
    std::vector<PrimalDualMesh> meshes = mixed_meshes(configuration);
    draw_features(meshes, widths_of(c));
    MeshBatch batch = batch_of(meshes, configuration);
    const auto layer = mesh_layers().make(c.op, Value(kept));
    for (Parameter* p : layer->parameters()) p->value = random_tensor(p->value.shape(), Rng(14));
    const MeshResult at_start = run(*layer, batch, c.training());
    std::span<const Real> gradients = at_start.gradients;
    const auto loss = [&] {
      const MeshResult r = run(*layer, batch, c.training());
      double total = 0;
      for (const auto& block : r.blocks) {
        const Tensor cotangent = random_tensor({static_cast<Size>(block.size()), 1}, Rng(22));
        total += std::inner_product(block.begin(), block.end(), cotangent.data(), 0.0);
      }
      return total;
    };
    const auto check = [&](Tensor& tensor) {
      const auto part = gradients.first(static_cast<std::size_t>(tensor.size()));
      gradients = gradients.subspan(part.size());
      check_directional_derivative(tensor, part, Rng(12), loss);
    };
    check(batch.x);
    check(batch.x_dual);
    for (Parameter* p : layer->parameters()) {
      INFO(p->name);
      check(p->value);
    }
  }
}
#endif
