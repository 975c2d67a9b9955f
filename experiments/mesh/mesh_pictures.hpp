#pragma once

#include "tarn/experiments/mesh/mesh_run_data.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace tarn {
inline namespace TARN_PRECISION {

/// What a trained network made of a fold's test meshes.
struct MeshViews {
  const MeshRunData& data;
  const MeshProblem& problem;
  const Fold& fold;
  MeshTask task;
  std::span<const Size> predictions;  ///< a class per test mesh, or per face, mesh after mesh
  DualConfiguration configuration;
};

/// Writes test meshes, evenly over the fold, as FOLDER/TRIAL-MESH-WHAT.ply, faces coloured by part,
/// prediction (segmentation) and by the cluster they are in after each pool, and all of it side by side from
/// two sides as FOLDER/TRIAL-MESH.png, which the report takes with its caption (see `read_pictures`). Throws
/// IoError.
void draw_pictures(MeshNetwork& network, const MeshSamples& samples, const MeshViews& views, Size count,
                   const std::filesystem::path& folder, const std::string& trial);

/// Writes all test meshes as FOLDER/MESH.ply, faces coloured by their cluster after the last pool, and
/// FOLDER/MESH.csv: a row per face with its cluster after each pool, and part and prediction where there are
/// such. Throws IoError.
void write_clusters(MeshNetwork& network, const MeshSamples& samples, const MeshViews& views,
                    const std::filesystem::path& folder);

}  // namespace TARN_PRECISION
}  // namespace tarn
