#pragma once

#include "tarn/datasets/mesh/shapes.hpp"
#include "tarn/experiments/mesh/mesh_network.hpp"
#include "tarn/graph/mesh/mesh_batch.hpp"

#include "experiments/walk.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

/// Batches of meshes with random features, and runs of layers and networks on them.
namespace tarn::test {

inline DualConfiguration configuration_of(const Value& options) {
  const Value* name = options.find("configuration");
  const std::string text = name == nullptr ? "A" : *name->string();
  return text == "A" ? DualConfiguration::A : text == "B" ? DualConfiguration::B : DualConfiguration::C;
}

/// A sphere, a torus, a plane, a single face, an empty mesh: what every layer must take.
inline std::vector<PrimalDualMesh> mixed_meshes(DualConfiguration configuration) {
  std::vector<TriangleMesh> meshes{make_icosphere(1), make_torus(5, 4), make_grid(3, 4), make_grid(1, 1), {}};
  meshes[3].faces.resize(1);
  std::vector<PrimalDualMesh> result;
  for (std::size_t i = 0; i < meshes.size(); ++i) {
    result.push_back(
        primal_dual_mesh(jitter_vertices(meshes[i], 0.1, Rng(i)), {.configuration = configuration}));
  }
  return result;
}

/// Features drawn anew, of given widths.
inline void draw_features(std::vector<PrimalDualMesh>& meshes, const DualPrimalWidths& widths) {
  for (std::size_t i = 0; i < meshes.size(); ++i) {
    meshes[i].x = random_tensor({meshes[i].x.shape()[0], widths.primal}, Rng(i).split("x"));
    meshes[i].x_dual = random_tensor({meshes[i].x_dual.shape()[0], widths.dual}, Rng(i).split("x_dual"));
  }
}

inline MeshBatch batch_of(const std::vector<PrimalDualMesh>& meshes, DualConfiguration configuration) {
  std::vector<const PrimalDualMesh*> pointers;
  for (const PrimalDualMesh& mesh : meshes) pointers.push_back(&mesh);
  return join_meshes(pointers, configuration);
}

/// What a layer or network gave, and the gradients of features and parameters, all in one run.
struct MeshResult {
  std::vector<Real> values;
  std::vector<Real> gradients;
  std::vector<std::vector<Real>> blocks;  ///< values output by output
};

/// Runs `forward(tape, features)`, which returns the outputs, backwards from random cotangents.
template <class Forward>
MeshResult run_on_meshes(Module& module, const MeshBatch& batch, bool training, Forward forward) {
  Tape tape;
  tape.reset({.training = training, .rng = Rng(3)});
  const DualPrimal in{tape.input(batch.x, NeedsGrad::yes), tape.input(batch.x_dual, NeedsGrad::yes),
                      batch.graph};
  const std::vector<Var> outputs = forward(tape, in);
  MeshResult result;
  std::vector<Tensor> cotangents;
  std::vector<std::pair<Var, ConstMatrixView>> seeds;
  cotangents.reserve(outputs.size());
  for (const Var& y : outputs) {
    result.blocks.push_back(numbers(y.value()));
    result.values.insert(result.values.end(), result.blocks.back().begin(), result.blocks.back().end());
    cotangents.push_back(random_tensor(y.shape(), Rng(22)));
    seeds.emplace_back(y, std::as_const(cotangents.back()).matrix());
  }
  tape.backward(seeds);
  const auto append = [&](const std::vector<Real>& more) {
    result.gradients.insert(result.gradients.end(), more.begin(), more.end());
  };
  append(numbers(tape.grad(in.x)));
  append(numbers(tape.grad(in.x_dual)));
  settle_grads(module.parameters());
  for (Parameter* p : module.parameters()) {
    append(numbers(std::as_const(p->grad).matrix()));
    p->has_grad = false;
  }
  return result;
}

}  // namespace tarn::test
