#pragma once

#include "tarn/datasets/mesh/mesh_set.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tarn {

// A set of clean meshes as one HDF5 file. Root attributes: `format` (tarn-mesh-store), `version` (1), `name`.
// Data sets, S meshes one after another:
//
// vertices [V, 3], vertex_offsets [S+1]; faces [F, 3], numbered inside the mesh, face_offsets [S+1]
// names [S], labels [S], class_names [C], dropped_faces [S]
// face_labels [F], edge_labels [M] with edge_offsets [S+1], -1 where a mesh has none; edge_weights/I [M_I, K]
// of mesh I part_names/C                                      of class C splits/NAME/{train,test}/K mesh
// numbers of fold K graphs/KEY/{pairs, pair_offsets, x, x_dual, areas}  graphs and features of all meshes,
// built once
//
// What a set does not have is left out.

/// Throws IoError; the file appears whole or not at all. Graphs of an older file do not stay.
void write_mesh_store(const std::filesystem::path& path, const MeshSet& set);

/// Throws IoError if it cannot be opened, DataError naming the data set and what breaks the format.
[[nodiscard]] MeshSet read_mesh_store(const std::filesystem::path& path);

/// True for an HDF5 file whose `format` says that it is one.
[[nodiscard]] bool is_mesh_store(const std::filesystem::path& path);

/// A store, folder or archive, whatever stands there.
[[nodiscard]] MeshSet read_mesh_set(const std::filesystem::path& path);

/// What a set holds, many lines: meshes, faces, classes, parts, splits, dropped faces.
[[nodiscard]] std::string describe_mesh_set(const MeshSet& set);

inline namespace TARN_PRECISION {

/// Graphs and features of every mesh, in parallel. Throws DataError naming the mesh.
[[nodiscard]] std::vector<PrimalDualMesh> build_mesh_graphs(const MeshSet& set,
                                                            const PrimalDualOptions& options);

/// The graphs that a store keeps for these options in this precision; nothing if it keeps none. Throws
/// DataError for some that do not fit the meshes.
[[nodiscard]] std::optional<std::vector<PrimalDualMesh>> read_mesh_graphs(const std::filesystem::path& path,
                                                                          const MeshSet& set,
                                                                          const PrimalDualOptions& options);

/// Puts graphs into a store; the file is replaced as a whole. Throws IoError.
void write_mesh_graphs(const std::filesystem::path& path, std::span<const PrimalDualMesh> graphs,
                       const PrimalDualOptions& options);

}  // namespace TARN_PRECISION
}  // namespace tarn
