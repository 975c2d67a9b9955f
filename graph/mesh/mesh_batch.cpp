#include "tarn/graph/mesh/mesh_batch.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tarn {
inline namespace TARN_PRECISION {

namespace {

Tensor stack(std::span<const PrimalDualMesh* const> meshes, const Tensor PrimalDualMesh::*part) {
  Size rows = 0;
  const Size width = meshes.empty() ? 0 : (meshes[0]->*part).shape()[-1];
  for (const PrimalDualMesh* mesh : meshes) {
    const Shape& shape = (mesh->*part).shape();
    if (shape[-1] != width) {
      throw ShapeError(
          fmt::format("mesh batch: features are {} and {} wide; expected one width", width, shape[-1]));
    }
    rows += shape[0];
  }
  Tensor all({rows, width});
  Real* out = all.data();
  for (const PrimalDualMesh* mesh : meshes) {
    const auto own = (mesh->*part).flat();
    out = std::copy(own.begin(), own.end(), out);
  }
  return all;
}

}  // namespace

MeshBatch join_meshes(std::span<const PrimalDualMesh* const> meshes, DualConfiguration configuration) {
  std::vector<PrimalPairs> pairs;
  for (const PrimalDualMesh* mesh : meshes) pairs.push_back(mesh->primal());
  return {stack(meshes, &PrimalDualMesh::x), stack(meshes, &PrimalDualMesh::x_dual),
          PrimalDualGraph::build(pairs, configuration)};
}

}  // namespace TARN_PRECISION
}  // namespace tarn
