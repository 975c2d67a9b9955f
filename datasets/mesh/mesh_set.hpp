#pragma once

#include "tarn/core/real.hpp"
#include "tarn/datasets/graphs/split_lists.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace tarn {

/// A clean mesh with what is known of it. Labels of faces and edges may be missing: empty lists.
struct LabelledMesh {
  std::string name;                  ///< unique in its set: "Human/12"
  TriangleMesh mesh;                 ///< not empty
  Size label = 0;                    ///< class, in the set's class_names
  std::vector<Size> face_labels;     ///< [F] part of each face, from 0
  std::vector<Size> edge_labels;     ///< [M] part of each mesh edge, in lexicographic order
  std::vector<double> edge_weights;  ///< [M, K] above 0: the part is allowed at the edge
  Size dropped_faces = 0;            ///< by cleaning
};

/// A data set of meshes.
struct MeshSet {
  std::string name;
  std::vector<std::string> class_names;              ///< at least one
  std::vector<std::vector<std::string>> part_names;  ///< of each class; classes without parts have none
  std::vector<LabelledMesh> meshes;
  std::vector<SplitLists> splits;  ///< over the numbers of the meshes

  [[nodiscard]] Size num_meshes() const { return static_cast<Size>(meshes.size()); }
  [[nodiscard]] const SplitLists* find_split(std::string_view split_name) const;
};

/// Reads a folder or zip archive of mesh files, cleans the meshes and brings their labels along. Which layout
/// it is shows in its files:
///
/// 1. `index.csv` (class, name, id, vertices, faces), CLASS/ID.off, CLASS/ID.seg (a part per face),
/// `parts.csv` (class, part, name), splits/NAME_{K_}{train,test}.txt (lines CLASS/ID).
/// 2. {train,test}/NAME.* with seg/NAME.eseg: a part per mesh edge in the order of MeshCNN or, as many as
/// faces, per face; sseg/NAME.seseg: weights of the parts per edge; `classes.txt`: the numbers of the parts.
/// One class.
/// 3. CLASS/{train,test}/NAME.*: classification, as MeshCNN has it. 4. CLASS/NAME.*: classification without a
/// split.
///
/// Throws IoError, and DataError naming file and line: broken meshes, meshes that cleaning leaves empty,
/// label files with another number of lines than faces or edges (both are named), labels and names that do
/// not exist, folders without meshes.
[[nodiscard]] MeshSet read_mesh_folder(const std::filesystem::path& path, const MeshCleanOptions& clean = {});

/// The parts that occur, or are named, of a class: largest number + 1.
[[nodiscard]] Size num_parts(const MeshSet& set, Size class_number);

}  // namespace tarn
