#pragma once

#include "tarn/core/options.hpp"
#include "tarn/datasets/mesh/mesh_set.hpp"

namespace tarn {

struct CubeEngravingOptions {
  Size train = 40;
  Size test = 10;
  Size squares = 16;
  double depth = 0.05;
  Size seed = 0;
  void fields(Fields& f) {
    f("train", train, at_least(1), "training meshes per class");
    f("test", test, at_least(1), "test meshes per class");
    f("squares", squares, between(4, 128),
      "squares along a side of the cube; 16 gives 3072 faces, 8 gives 768");
    f("depth", depth, between(0, 0.5), "how far the outline is pushed in");
    f("seed", seed, at_least(0), "of all draws");
  }
};

/// Cubes of side 1 with one of ten outlines engraved in one side, at a drawn side, place (up to 0.15 off the
/// middle), size (0.4 to 0.6) and angle. Classes: the outlines. Parts of faces: rest, wall (some corners
/// engraved), engraved. Split `cubes`. Mesh i draws from (seed, i) alone. After the set of Hanocka et al.
/// 2019, "MeshCNN", arXiv 1809.05910.
[[nodiscard]] MeshSet generate_cube_engraving(const CubeEngravingOptions& options);

struct ShapesOptions {
  Size train = 20;
  Size test = 5;
  double jitter = 0.05;
  Size seed = 0;
  void fields(Fields& f) {
    f("train", train, at_least(1), "training meshes per class");
    f("test", test, at_least(1), "test meshes per class");
    f("jitter", jitter, between(0, 1), "deviation of the vertices, in mean edge lengths");
    f("seed", seed, at_least(0), "of all draws");
  }
};

/// Spheres, tori, planes, cylinders, cones, boxes, capsules, octahedra and tetrahedra of drawn resolution,
/// jittered, rotated, faces in drawn order. Split `shapes`.
[[nodiscard]] MeshSet generate_shapes(const ShapesOptions& options);

/// Writes a set as files: CLASS/{train,test}/NAME.ply, faces coloured by their parts. Throws IoError.
void write_mesh_folder(const std::filesystem::path& folder, const MeshSet& set);

}  // namespace tarn
