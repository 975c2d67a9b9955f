#pragma once

#include "tarn/datasets/mesh/mesh_store.hpp"
#include "tarn/experiments/mesh/mesh_options.hpp"
#include "tarn/experiments/run_directory.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// What one network learns: the class of meshes, or the parts of the meshes of one class.
struct MeshProblem {
  std::string name;  ///< of the set, or of the class
  Size num_classes = 0;
  std::vector<std::string> class_names;  ///< of meshes, or of parts
  std::vector<Fold> folds;               ///< one per partition, in the order of `MeshRunData::partitions`
};

inline namespace TARN_PRECISION {

/// The set of a run with its graphs, and who trains and tests what.
struct MeshRunData {
  MeshSet set;
  std::vector<PrimalDualMesh> graphs;
  std::string split;
  std::vector<Size> partitions;  ///< numbers of the parts of the split, from 1
  std::vector<MeshProblem> problems;
  std::vector<std::string> warnings;
};

/// Reads or generates the set, takes its graphs from the store (and puts them there the first time), and
/// divides it. Throws ConfigError for a split, a partition or a class that the set does not have, DataError
/// for partitions that train on what they test, or lack either.
[[nodiscard]] MeshRunData load_mesh_run(const MeshPlan& plan, const MeshPreset& preset);

}  // namespace TARN_PRECISION

/// The set's path: `name` as store, zip or folder in `root`, or without one in the folder that TARN_DATA
/// names and its `meshes`, or in ../shared/data/meshes. Throws IoError naming the places.
[[nodiscard]] std::filesystem::path find_mesh_set(const std::string& name, const std::string& root);

inline namespace TARN_PRECISION {

/// Notes in a run directory which meshes each partition trains and tests on. Throws ConfigError if a run
/// that has measured something was given others.
void keep_partitions(const RunDirectory& run, const MeshRunData& data);
}  // namespace TARN_PRECISION

}  // namespace tarn
