#include "tarn/datasets/mesh/mesh_set_generators.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/parallel.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/datasets/mesh/part_colours.hpp"
#include "tarn/datasets/mesh/shapes.hpp"
#include "tarn/datasets/mesh/silhouettes.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <numbers>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// Draws one after another.
class Draws {
 public:
  explicit Draws(const Rng& rng) : rng_(rng) {}
  double uniform(double low, double high) { return low + (high - low) * rng_.uniform(position_++); }
  Size below(Size n) { return rng_.below(n, position_++); }

 private:
  Rng rng_;
  std::uint64_t position_ = 0;
};

/// Meshes of all classes, the training ones of each first, and their split.
void fill_set(MeshSet& set, Size train, Size test, const char* split,
              const std::function<LabelledMesh(Size label, Size number)>& make) {
  const auto num_classes = static_cast<Size>(set.class_names.size());
  const Size each = train + test;
  set.meshes.resize(idx(num_classes * each));
  for_blocks(set.num_meshes(), 1, [&](Size i, Size) {
    LabelledMesh mesh = make(i / each, i);
    mesh.label = i / each;
    mesh.name = fmt::format("{}/{}", set.class_names[idx(mesh.label)], i % each);
    set.meshes[idx(i)] = std::move(mesh);
  });
  Fold fold;
  for (Size i = 0; i < set.num_meshes(); ++i) (i % each < train ? fold.train : fold.test).push_back(i);
  set.splits.push_back({.name = split, .about = "drawn with the set", .folds = {fold}});
}

/// An outline somewhere on a side.
struct Engraving {
  Size silhouette, axis;
  double sign, u, v, half_size, angle;

  [[nodiscard]] bool covers(const Vec3& p) const {
    const std::array<double, 3> at{p.x, p.y, p.z};
    if (at[idx(axis)] != 0.5 * sign) return false;
    const double x = at[idx((axis + 1) % 3)], y = at[idx((axis + 2) % 3)];
    // Edges of the cube stay straight.
    if (std::abs(x) == 0.5 || std::abs(y) == 0.5) return false;
    const double dx = (x - u) / half_size, dy = (y - v) / half_size;
    const double c = std::cos(angle), s = std::sin(angle);
    return inside_silhouette(silhouette, c * dx + s * dy, c * dy - s * dx);
  }
};

LabelledMesh engrave(const TriangleMesh& cube, const Engraving& e, double depth) {
  LabelledMesh result;
  result.mesh = cube;
  std::vector<bool> pushed(cube.vertices.size());
  for (std::size_t v = 0; v < cube.vertices.size(); ++v) {
    pushed[v] = e.covers(cube.vertices[v]);
    if (!pushed[v]) continue;
    Vec3& p = result.mesh.vertices[v];
    (e.axis == 0 ? p.x : e.axis == 1 ? p.y : p.z) -= e.sign * depth;
  }
  for (const Triangle& t : cube.faces) {
    const int inside = pushed[idx(t[0])] + pushed[idx(t[1])] + pushed[idx(t[2])];
    result.face_labels.push_back(inside == 3 ? 2 : inside > 0 ? 1 : 0);
  }
  return result;
}

TriangleMesh draw_shape(Size kind, Draws& d) {
  switch (kind) {
    case 0:
      return make_tetrahedron();
    case 1:
      return make_octahedron();
    case 2:
      return make_icosphere(1 + d.below(2));
    case 3:
      return make_torus(10 + d.below(8), 6 + d.below(6), d.uniform(0.25, 0.5));
    case 4:
      return make_grid(8 + d.below(6), 8 + d.below(6));
    case 5:
      return make_cylinder(10 + d.below(8), 4 + d.below(6), d.uniform(1, 3));
    case 6:
      return make_cone(10 + d.below(8), 4 + d.below(6), d.uniform(1, 3));
    case 7:
      return make_box(3 + d.below(3));
    default:
      return make_capsule(10 + d.below(6), 3 + d.below(3), 2 + d.below(4), d.uniform(0.5, 2));
  }
}

}  // namespace

MeshSet generate_cube_engraving(const CubeEngravingOptions& o) {
  check_options(o, "cube-engraving");
  MeshSet set;
  set.name = "cube-engraving";
  for (const std::string_view name : silhouette_names()) set.class_names.emplace_back(name);
  set.part_names.assign(set.class_names.size(), {"rest", "wall", "engraved"});
  const TriangleMesh cube = make_box(o.squares);
  const Rng rng = Rng(static_cast<std::uint64_t>(o.seed)).split("cube-engraving");
  fill_set(set, o.train, o.test, "cubes", [&](Size label, Size number) {
    Draws d(rng.split(static_cast<std::uint64_t>(number)));
    Engraving e{.silhouette = label};
    e.axis = d.below(3);
    e.sign = d.below(2) == 0 ? -1 : 1;
    e.half_size = 0.25 * d.uniform(0.8, 1.2);
    e.angle = d.uniform(0, 2 * std::numbers::pi);
    e.u = d.uniform(-0.15, 0.15);
    e.v = d.uniform(-0.15, 0.15);
    return engrave(cube, e, o.depth);
  });
  return set;
}

MeshSet generate_shapes(const ShapesOptions& o) {
  check_options(o, "shapes");
  MeshSet set;
  set.name = "shapes";
  set.class_names = {"tetrahedron", "octahedron", "sphere", "torus",  "plane",
                     "cylinder",    "cone",       "box",    "capsule"};
  set.part_names.resize(set.class_names.size());
  const Rng rng = Rng(static_cast<std::uint64_t>(o.seed)).split("shapes");
  fill_set(set, o.train, o.test, "shapes", [&](Size label, Size number) {
    const Rng own = rng.split(static_cast<std::uint64_t>(number));
    Draws d(own.split("size"));
    TriangleMesh mesh = rotate_randomly(jitter_vertices(draw_shape(label, d), o.jitter, own.split("jitter")),
                                        own.split("turn"));
    mesh = reorder_faces(mesh, permutation(mesh.num_faces(), own.split("order")));
    return LabelledMesh{.mesh = std::move(mesh)};
  });
  return set;
}

void write_mesh_folder(const std::filesystem::path& folder, const MeshSet& set) {
  std::vector<std::string> split_of(set.meshes.size(), "train");
  if (!set.splits.empty() && !set.splits[0].folds.empty()) {
    for (const Size i : set.splits[0].folds[0].test) split_of[idx(i)] = "test";
  }
  for (std::size_t i = 0; i < set.meshes.size(); ++i) {
    const LabelledMesh& mesh = set.meshes[i];
    const std::filesystem::path directory = folder / set.class_names[idx(mesh.label)] / split_of[i];
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) throw IoError(fmt::format("{}: cannot be created: {}", directory.string(), error.message()));
    PolygonSoup soup = polygon_soup(mesh.mesh);
    for (const Size part : mesh.face_labels) soup.face_colours.push_back(part_colour(part));
    write_mesh(soup, directory / (mesh.name.substr(mesh.name.rfind('/') + 1) + ".ply"));
  }
}

}  // namespace tarn
