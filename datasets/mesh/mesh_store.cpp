#include "tarn/datasets/mesh/mesh_store.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/graphs/stored_splits.hpp"
#include "tarn/graph/mesh/half_edges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr const char* format_name = "tarn-mesh-store";
constexpr Size newest_version = 1;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Runs of all meshes one after another.
template <class T, class Of>
std::vector<T> joined(const MeshSet& set, Of of) {
  std::vector<T> all;
  for (const LabelledMesh& mesh : set.meshes) {
    const auto& part = of(mesh);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

template <class Count>
std::vector<Size> offsets_of(const MeshSet& set, Count count) {
  std::vector<Size> offsets{0};
  for (const LabelledMesh& mesh : set.meshes)
    offsets.push_back(offsets.back() + static_cast<Size>(count(mesh)));
  return offsets;
}

/// Offsets of S runs over a data set of `rows` rows.
Segments read_offsets(const h5::Group& group, const char* name, Size num_meshes, Size rows) {
  const h5::Dataset data = group.dataset(name);
  const std::vector<Size> offsets = data.read<Size>();
  const bool fits = static_cast<Size>(offsets.size()) == num_meshes + 1 && offsets.front() == 0 &&
                    offsets.back() == rows && std::is_sorted(offsets.begin(), offsets.end());
  if (!fits)
    refuse(data, "offsets that do not fit", fmt::format("{} that ascend from 0 to {}", num_meshes + 1, rows));
  return Segments(offsets);
}

h5::Dataset require_columns(const h5::Group& group, const char* name, Size columns) {
  h5::Dataset data = group.dataset(name);
  if (data.shape().rank() != 2 || data.shape()[1] != columns) {
    refuse(data, "shape " + data.shape().text(), fmt::format("[N, {}]", columns));
  }
  return data;
}

// === Meshes

void write_geometry(h5::File& file, const MeshSet& set) {
  std::vector<double> vertices;
  std::vector<NodeId> faces;
  for (const LabelledMesh& mesh : set.meshes) {
    for (const Vec3& v : mesh.mesh.vertices) vertices.insert(vertices.end(), {v.x, v.y, v.z});
    for (const Triangle& t : mesh.mesh.faces) faces.insert(faces.end(), t.begin(), t.end());
  }
  file.write("vertices", {static_cast<Size>(vertices.size()) / 3, 3}, std::span<const double>(vertices));
  file.write("faces", {static_cast<Size>(faces.size()) / 3, 3}, std::span<const NodeId>(faces));
  file.write("vertex_offsets", offsets_of(set, [](const LabelledMesh& m) { return m.mesh.num_vertices(); }));
  file.write("face_offsets", offsets_of(set, [](const LabelledMesh& m) { return m.mesh.num_faces(); }));
}

void read_geometry(const h5::File& file, MeshSet& set) {
  const h5::Dataset vertex_data = require_columns(file, "vertices", 3),
                    face_data = require_columns(file, "faces", 3);
  const std::vector<double> vertices = vertex_data.read<double>();
  const std::vector<NodeId> faces = face_data.read<NodeId>();
  const Segments of_vertices = read_offsets(file, "vertex_offsets", set.num_meshes(), vertex_data.shape()[0]);
  const Segments of_faces = read_offsets(file, "face_offsets", set.num_meshes(), face_data.shape()[0]);
  for (Size s = 0; s < set.num_meshes(); ++s) {
    TriangleMesh& mesh = set.meshes[idx(s)].mesh;
    for (Size v = of_vertices.rows(s).begin; v < of_vertices.rows(s).end; ++v) {
      mesh.vertices.push_back({vertices[idx(3 * v)], vertices[idx(3 * v + 1)], vertices[idx(3 * v + 2)]});
    }
    for (Size f = of_faces.rows(s).begin; f < of_faces.rows(s).end; ++f) {
      mesh.faces.push_back({faces[idx(3 * f)], faces[idx(3 * f + 1)], faces[idx(3 * f + 2)]});
    }
    const std::string where = fmt::format("{}: mesh {}", file.where(), s);
    require_valid_mesh(where, mesh);
    if (mesh.faces.empty()) throw DataError(where + ": has no faces; expected at least one");
  }
}

// === Labels

using Labels = std::vector<Size> LabelledMesh::*;

/// Labels of faces or edges, -1 for a mesh without; nothing if no mesh has any.
void write_labels(h5::File& file, const char* name, const MeshSet& set, Labels labels,
                  const std::vector<Size>& offsets) {
  std::vector<std::int32_t> all;
  bool any = false;
  for (std::size_t s = 0; s < set.meshes.size(); ++s) {
    const std::vector<Size>& own = set.meshes[s].*labels;
    any = any || !own.empty();
    for (Size i = 0; i < offsets[s + 1] - offsets[s]; ++i) {
      all.push_back(own.empty() ? -1 : static_cast<std::int32_t>(own[idx(i)]));
    }
  }
  if (any) file.write(name, all);
}

void read_labels(const h5::File& file, const char* name, MeshSet& set, Labels labels, const Segments& rows) {
  if (!file.has(name)) return;
  const h5::Dataset data = file.dataset(name);
  const std::vector<std::int32_t> all = data.read<std::int32_t>();
  if (static_cast<Size>(all.size()) != rows.num_rows()) {
    refuse(data, fmt::format("{} labels", all.size()), fmt::format("{}", rows.num_rows()));
  }
  for (Size s = 0; s < set.num_meshes(); ++s) {
    const Rows own = rows.rows(s);
    const auto part = std::span(all).subspan(idx(own.begin), idx(own.size()));
    const bool none = std::all_of(part.begin(), part.end(), [](std::int32_t l) { return l == -1; });
    if (none) continue;
    if (std::any_of(part.begin(), part.end(), [](std::int32_t l) { return l < 0; })) {
      refuse(data, fmt::format("mesh {} has labels below 0", s), "labels of at least 0, or -1 throughout");
    }
    (set.meshes[idx(s)].*labels).assign(part.begin(), part.end());
  }
}

std::vector<Size> edge_offsets(const MeshSet& set) {
  return offsets_of(set, [](const LabelledMesh& m) { return HalfEdges(m.mesh).num_edges(); });
}

void write_weights(h5::File& file, const MeshSet& set) {
  for (std::size_t s = 0; s < set.meshes.size(); ++s) {
    const std::vector<double>& weights = set.meshes[s].edge_weights;
    if (weights.empty()) continue;
    const Size edges = HalfEdges(set.meshes[s].mesh).num_edges();
    file.write(fmt::format("edge_weights/{}", s), {edges, static_cast<Size>(weights.size()) / edges},
               std::span<const double>(weights));
  }
}

void read_weights(const h5::File& file, MeshSet& set, const Segments& edges) {
  if (!file.has("edge_weights")) return;
  const h5::Group group = file.group("edge_weights");
  for (Size s = 0; s < set.num_meshes(); ++s) {
    const std::string name = fmt::format("{}", s);
    if (!group.has(name)) continue;
    const h5::Dataset data = group.dataset(name);
    if (data.shape().rank() != 2 || data.shape()[0] != edges.size(s)) {
      refuse(data, "shape " + data.shape().text(), fmt::format("[{}, K]", edges.size(s)));
    }
    set.meshes[idx(s)].edge_weights = data.read<double>();
  }
}

void write_catalogue(h5::File& file, const MeshSet& set) {
  std::vector<std::string> names;
  std::vector<Size> labels, dropped;
  for (const LabelledMesh& mesh : set.meshes) {
    names.push_back(mesh.name);
    labels.push_back(mesh.label);
    dropped.push_back(mesh.dropped_faces);
  }
  file.write("names", names);
  file.write("labels", labels);
  file.write("dropped_faces", dropped);
  file.write("class_names", set.class_names);
  for (std::size_t c = 0; c < set.part_names.size(); ++c) {
    if (!set.part_names[c].empty()) file.write(fmt::format("part_names/{}", c), set.part_names[c]);
  }
  detail::write_splits(file, set.splits);
}

void read_catalogue(const h5::File& file, MeshSet& set) {
  const std::vector<std::string> names = file.dataset("names").read<std::string>();
  const h5::Dataset label_data = file.dataset("labels");
  const std::vector<Size> labels = label_data.read<Size>(),
                          dropped = file.dataset("dropped_faces").read<Size>();
  set.class_names = file.dataset("class_names").read<std::string>();
  if (labels.size() != names.size() || dropped.size() != names.size()) {
    refuse(label_data,
           fmt::format("{} labels and {} counts of dropped faces for {} names", labels.size(), dropped.size(),
                       names.size()),
           "one of each per mesh");
  }
  set.meshes.resize(names.size());
  for (std::size_t s = 0; s < names.size(); ++s) {
    if (labels[s] < 0 || labels[s] >= static_cast<Size>(set.class_names.size())) {
      refuse(label_data, fmt::format("label {} of mesh {}", labels[s], s),
             fmt::format("0 to {}", set.class_names.size() - 1));
    }
    set.meshes[s].name = names[s];
    set.meshes[s].label = labels[s];
    set.meshes[s].dropped_faces = dropped[s];
  }
  set.part_names.resize(set.class_names.size());
  for (std::size_t c = 0; c < set.part_names.size(); ++c) {
    const std::string path = fmt::format("part_names/{}", c);
    if (file.has(path)) set.part_names[c] = file.dataset(path).read<std::string>();
  }
  set.splits = detail::read_splits(file);
}

void check_splits(const h5::File& file, const MeshSet& set) {
  for (const SplitLists& split : set.splits) {
    for (const Fold& fold : split.folds) {
      for (const auto* list : {&fold.train, &fold.validation, &fold.test}) {
        for (const Size number : *list) {
          if (number >= 0 && number < set.num_meshes()) continue;
          throw DataError(fmt::format("{}splits/{}: names mesh {}; expected 0 to {}", file.where(),
                                      split.name, number, set.num_meshes() - 1));
        }
      }
    }
  }
}

h5::File open_store(const fs::path& path) {
  h5::File file = h5::File::open(path);
  const std::string format = h5::format_of(file);
  if (format != format_name)
    refuse(file, fmt::format("format '{}'", format), fmt::format("'{}'", format_name));
  const Size version = file.attribute<std::int64_t>("version");
  if (version != newest_version)
    refuse(file, fmt::format("version {}", version), fmt::format("{}", newest_version));
  return file;
}

}  // namespace

void write_mesh_store(const fs::path& path, const MeshSet& set) {
  h5::write_atomically(path, [&](h5::File& file) {
    file.set_attribute("format", format_name);
    file.set_attribute("version", newest_version);
    file.set_attribute("name", set.name);
    write_catalogue(file, set);
    write_geometry(file, set);
    const std::vector<Size> edges = edge_offsets(set);
    file.write("edge_offsets", edges);
    write_labels(file, "face_labels", set, &LabelledMesh::face_labels,
                 offsets_of(set, [](const LabelledMesh& m) { return m.mesh.num_faces(); }));
    write_labels(file, "edge_labels", set, &LabelledMesh::edge_labels, edges);
    write_weights(file, set);
  });
}

MeshSet read_mesh_store(const fs::path& path) {
  const h5::File file = open_store(path);
  MeshSet set;
  set.name = file.attribute<std::string>("name");
  read_catalogue(file, set);
  read_geometry(file, set);
  check_splits(file, set);
  const Segments edges(edge_offsets(set));
  read_labels(file, "face_labels", set, &LabelledMesh::face_labels,
              Segments(offsets_of(set, [](const LabelledMesh& m) { return m.mesh.num_faces(); })));
  read_labels(file, "edge_labels", set, &LabelledMesh::edge_labels, edges);
  read_weights(file, set, edges);
  return set;
}

bool is_mesh_store(const fs::path& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return false;
  try {
    return h5::format_of(h5::File::open(path)) == format_name;
  } catch (const DataError&) {
    return false;  // no HDF5 at all
  }
}

MeshSet read_mesh_set(const fs::path& path) {
  const bool store = path.extension() == ".h5" || path.extension() == ".hdf5";
  return store ? read_mesh_store(path) : read_mesh_folder(path);
}

std::string describe_mesh_set(const MeshSet& set) {
  std::string text = fmt::format("  name           {}\n  meshes         {}\n", set.name, set.num_meshes());
  Size faces = 0, dropped = 0, labelled = 0;
  std::vector<Size> of_class(set.class_names.size(), 0);
  for (const LabelledMesh& mesh : set.meshes) {
    faces += mesh.mesh.num_faces();
    dropped += mesh.dropped_faces;
    labelled += !mesh.face_labels.empty();
    ++of_class[idx(mesh.label)];
  }
  text += fmt::format("  faces          {} ({} dropped by cleaning)\n  with parts     {} meshes\n", faces,
                      dropped, labelled);
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    text += fmt::format("  class {:<9}{}: {} meshes, {} parts\n", c, set.class_names[c], of_class[c],
                        num_parts(set, static_cast<Size>(c)));
  }
  for (const SplitLists& split : set.splits) {
    for (std::size_t k = 0; k < split.folds.size(); ++k) {
      text += fmt::format("  split          {} {}: {} train, {} test\n", split.name, k + 1,
                          split.folds[k].train.size(), split.folds[k].test.size());
    }
  }
  return text;
}

}  // namespace tarn
