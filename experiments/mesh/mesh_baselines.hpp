#pragma once

#include "tarn/experiments/mesh/mesh_run_data.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace tarn {

/// What a mesh looks like in 56 numbers: of the area share and the seven dual features of configuration A,
/// channel by channel, mean and deviation over the mesh and the quantiles at 5, 25, 50, 75 and 95 %
/// (interpolated in a line). Zeros for the dual features of a mesh without pairs of faces. Throws DataError
/// for a mesh that is not clean.
[[nodiscard]] std::vector<double> mesh_statistics(const TriangleMesh& mesh);

/// Classes of the test meshes of a fold by a forest of 500 trees on `mesh_statistics` of the training ones.
[[nodiscard]] std::vector<Size> forest_predictions(const MeshSet& set, const MeshProblem& problem,
                                                   const Fold& fold, std::uint64_t seed);

/// The part that most training faces belong to, for every face of the test meshes.
[[nodiscard]] std::vector<Size> majority_predictions(const MeshSet& set, const MeshProblem& problem,
                                                     const Fold& fold);

}  // namespace tarn
