#include "tarn/datasets/mesh/mesh_folder.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/text_lines.hpp"
#include "tarn/graph/mesh/mesh_labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tarn {

namespace detail {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Labels of the polygons of a file to the faces that are left of them.
std::vector<Size> follow_faces(const std::vector<Size>& of_polygons, const TriangulatedMesh& triangles,
                               const CleanMesh& clean) {
  std::vector<Size> labels;
  for (const NodeId face : clean.face_source) labels.push_back(of_polygons[idx(triangles.source[idx(face)])]);
  return labels;
}

/// Rows of numbers, all of one width.
std::vector<double> read_weight_lines(std::string_view text, std::string_view where, Size& width) {
  std::vector<double> values;
  TextLines lines(text, where);
  width = 0;
  while (lines.next()) {
    Words words(lines.line());
    Size count = 0;
    for (; words.more(); ++count) values.push_back(lines.real(words.next(), "the weight of a part"));
    if (count == 0 && lines.remaining() == 0) break;
    if (width == 0) width = count;
    if (count != width || count == 0) lines.fail(fmt::format("{} weights; expected {}", count, width));
  }
  return values;
}

/// Labels counted from 0, in lexicographic order of the mesh edges.
std::vector<Size> edges_by_vertices(const std::vector<Size>& labels, const HalfEdges& half_edges) {
  const std::vector<NodeId> order = first_sight_order(half_edges);
  std::vector<Size> sorted(labels.size());
  for (std::size_t e = 0; e < order.size(); ++e) sorted[idx(order[e])] = labels[e];
  return sorted;
}

void shift_labels(std::vector<Size>& labels, Size first_part, const std::string& where) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    labels[i] -= first_part;
    if (labels[i] >= 0) continue;
    throw DataError(fmt::format("{}:{}: part {}; expected at least {}, the smallest of classes.txt", where,
                                i + 1, labels[i] + first_part, first_part));
  }
}

void read_hard_labels(const MeshFiles& files, const MeshEntry& entry, Size first_part,
                      const TriangulatedMesh& triangles, Size num_polygons, const CleanMesh& clean,
                      LabelledMesh& mesh) {
  const std::string where = files.where(entry.hard_labels);
  std::vector<Size> labels = read_label_lines(files.read(entry.hard_labels), where);
  const HalfEdges half_edges(clean.mesh);
  const auto count = static_cast<Size>(labels.size());
  if (count == num_polygons) {
    shift_labels(labels, 0, where);
    mesh.face_labels = follow_faces(labels, triangles, clean);
  } else if (count == half_edges.num_edges()) {
    shift_labels(labels, first_part, where);
    mesh.edge_labels = edges_by_vertices(labels, half_edges);
    mesh.face_labels = face_labels_from_edges(half_edges, mesh.edge_labels).labels;
  } else {
    throw DataError(fmt::format(
        "{}: {} labels, but {} has {} faces and, once clean, {} mesh edges; expected one of the two", where,
        count, files.where(entry.file), num_polygons, half_edges.num_edges()));
  }
}

void read_soft_labels(const MeshFiles& files, const MeshEntry& entry, const CleanMesh& clean,
                      LabelledMesh& mesh) {
  const std::string where = files.where(entry.soft_labels);
  Size width = 0;
  const std::vector<double> rows = read_weight_lines(files.read(entry.soft_labels), where, width);
  const HalfEdges half_edges(clean.mesh);
  if (static_cast<Size>(rows.size()) != half_edges.num_edges() * width) {
    throw DataError(fmt::format("{}: {} rows, but {} has, once clean, {} mesh edges; expected one each",
                                where, static_cast<Size>(rows.size()) / std::max<Size>(width, 1),
                                files.where(entry.file), half_edges.num_edges()));
  }
  mesh.edge_weights.resize(rows.size());
  const std::vector<NodeId> order = first_sight_order(half_edges);
  for (std::size_t e = 0; e < order.size(); ++e) {
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(e) * width, width,
                mesh.edge_weights.begin() + order[e] * width);
  }
}

}  // namespace

std::vector<Size> read_label_lines(std::string_view text, std::string_view where) {
  std::vector<Size> labels;
  TextLines lines(text, where);
  while (lines.next()) {
    Words words(lines.line());
    const std::string_view word = words.next();
    if (word.empty() && lines.remaining() == 0) break;
    const double label = lines.real(word, "a label");
    if (label != static_cast<double>(static_cast<Size>(label)) || std::abs(label) > 1e6) {
      lines.fail(fmt::format("a label is {}; expected a whole number", shown(word)));
    }
    if (words.more())
      lines.fail(fmt::format("got {} after the label; expected one number a line", shown(words.next())));
    labels.push_back(static_cast<Size>(label));
  }
  return labels;
}

LabelledMesh read_labelled_mesh(const MeshFiles& files, const MeshEntry& entry, Size first_part,
                                const MeshCleanOptions& options) {
  const std::string where = files.where(entry.file);
  const PolygonSoup soup = parse_mesh(files.read(entry.file), *mesh_format_of(entry.file), where);
  const TriangulatedMesh triangles = triangulate(soup, where);
  CleanMesh clean;
  try {
    clean = clean_mesh(triangles.mesh, options);
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", where, error.what()));
  }
  if (clean.mesh.num_faces() == 0) {
    throw DataError(fmt::format("{}: cleaning leaves none of {} faces ({}); expected at least one", where,
                                triangles.mesh.num_faces(), clean.counts.text()));
  }
  LabelledMesh mesh;
  mesh.name = entry.name;
  mesh.label = entry.label;
  mesh.dropped_faces = clean.counts.dropped_faces();
  if (!entry.hard_labels.empty()) {
    read_hard_labels(files, entry, first_part, triangles, soup.num_polygons(), clean, mesh);
  }
  if (!entry.soft_labels.empty()) read_soft_labels(files, entry, clean, mesh);
  mesh.mesh = std::move(clean.mesh);
  return mesh;
}

}  // namespace detail

MeshSet read_mesh_folder(const std::filesystem::path& path, const MeshCleanOptions& clean) {
  check_options(clean, "mesh-clean");
  const detail::FileCollection collection = detail::FileCollection::open(path);
  const detail::MeshFiles files(collection);
  detail::MeshListing listing = detail::list_meshes(files);
  MeshSet set;
  set.name = collection.name();
  set.class_names = std::move(listing.class_names);
  set.part_names = std::move(listing.part_names);
  set.splits = std::move(listing.splits);
  set.meshes.resize(listing.entries.size());
  for_blocks(set.num_meshes(), 1, [&](Size i, Size) {
    const auto place = static_cast<std::size_t>(i);
    set.meshes[place] = detail::read_labelled_mesh(files, listing.entries[place], listing.first_part, clean);
  });
  return set;
}

}  // namespace tarn
