#include "tarn/datasets/mesh/mesh_set.hpp"

#include <algorithm>

namespace tarn {

const SplitLists* MeshSet::find_split(std::string_view split_name) const {
  const auto found =
      std::find_if(splits.begin(), splits.end(), [&](const SplitLists& s) { return s.name == split_name; });
  return found == splits.end() ? nullptr : &*found;
}

Size num_parts(const MeshSet& set, Size class_number) {
  Size count = 0;
  if (class_number < static_cast<Size>(set.part_names.size())) {
    count = static_cast<Size>(set.part_names[static_cast<std::size_t>(class_number)].size());
  }
  for (const LabelledMesh& mesh : set.meshes) {
    if (mesh.label != class_number) continue;
    for (const auto* labels : {&mesh.face_labels, &mesh.edge_labels}) {
      for (const Size label : *labels) count = std::max(count, label + 1);
    }
  }
  return count;
}

}  // namespace tarn
