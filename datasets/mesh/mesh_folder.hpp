#pragma once

#include "tarn/datasets/graphs/file_collection.hpp"
#include "tarn/datasets/mesh/mesh_set.hpp"

#include <map>
#include <string>
#include <vector>

/// Inside of `read_mesh_folder`.
namespace tarn::detail {

/// A mesh file and where its labels are; paths inside the collection, empty where there is none.
struct MeshEntry {
  std::string name;
  std::string file;
  Size label = 0;
  std::string hard_labels;
  std::string soft_labels;
};

/// What a layout says of the folder, before any mesh is read.
struct MeshListing {
  std::vector<std::string> class_names;
  std::vector<std::vector<std::string>> part_names;
  std::vector<MeshEntry> entries;
  std::vector<SplitLists> splits;
  Size first_part = 0;  ///< number that stands for part 0 in the files of edge labels
};

/// The files below a folder of the collection that everything lies in, or at its root.
class MeshFiles {
 public:
  explicit MeshFiles(const FileCollection& files);

  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }  ///< sorted
  [[nodiscard]] bool has(const std::string& path) const;
  [[nodiscard]] std::string read(const std::string& path) const { return files_.read(prefix_ + path); }
  [[nodiscard]] std::string where(const std::string& path) const { return files_.where(prefix_ + path); }

 private:
  const FileCollection& files_;
  std::string prefix_;
  std::vector<std::string> paths_;
};

/// Throws DataError if the files have none of the known layouts.
[[nodiscard]] MeshListing list_meshes(const MeshFiles& files);

/// A mesh of the listing with its labels.
[[nodiscard]] LabelledMesh read_labelled_mesh(const MeshFiles& files, const MeshEntry& entry, Size first_part,
                                              const MeshCleanOptions& clean);

/// Lines of whole numbers, one per line; empty lines at the end are fine. Throws DataError with file and
/// line.
[[nodiscard]] std::vector<Size> read_label_lines(std::string_view text, std::string_view where);

}  // namespace tarn::detail
