#include "tarn/graph/mesh/augment.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"
#include "tarn/graph/mesh/order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tarn {

namespace {

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

/// A number from [0, 1) per vertex, as a slide takes them.
std::vector<double> uniforms(Size count, const Rng& rng) {
  std::vector<double> draws(idx(count));
  for (std::size_t i = 0; i < draws.size(); ++i) draws[i] = rng.uniform(i);
  return draws;
}

std::vector<NodeId> random_order(Size count, const Rng& rng) {
  const std::vector<Size> order = permutation(count, rng);
  return {order.begin(), order.end()};
}

/// Neighbours of each vertex at edges with two faces, ascending, with the angle of the edge.
struct FlatNeighbours {
  struct Neighbour {
    NodeId vertex;
    double angle;
  };
  std::vector<std::vector<Neighbour>> of;  // [V]

  explicit FlatNeighbours(const TriangleMesh& mesh) : of(mesh.vertices.size()) {
    const HalfEdges half_edges(mesh);
    require_manifold_edges("mesh-slide-vertices", half_edges);
    const std::vector<Vec3> normals = face_normals(mesh);
    for (const FacePair& pair : face_pairs(half_edges)) {
      const double angle = dihedral_angle(mesh, half_edges, pair, normals);
      const auto [a, b] = half_edges.ends(half_edges.edge(pair.half_edges[0]));
      of[idx(a)].push_back({b, angle});
      of[idx(b)].push_back({a, angle});
    }
    for (auto& list : of) {
      std::sort(list.begin(), list.end(), [](const auto& x, const auto& y) { return x.vertex < y.vertex; });
    }
  }
};

}  // namespace

void require_permutation(std::string_view where, std::span<const NodeId> order, Size count) {
  if (static_cast<Size>(order.size()) != count) {
    throw ShapeError(fmt::format("{}: permutation has {} entries; expected {}", where, order.size(), count));
  }
  std::vector<bool> seen(order.size(), false);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= 0 && order[i] < count && !seen[idx(order[i])]) {
      seen[idx(order[i])] = true;
      continue;
    }
    throw ValueError(fmt::format("{}: permutation[{}] is {}; expected every number from 0 to {} once", where,
                                 i, order[i], count - 1));
  }
}

std::vector<double> draw_scale_factors(const ScaleVerticesOptions& o, Size num_vertices, const Rng& rng) {
  check_options(o, "mesh-scale-vertices");
  // Beyond this no draw is positive: a normal draw never reaches 9 deviations.
  if (!o.allow_nonpositive && o.mean + 9 * o.std <= 0) {
    throw ValueError(
        fmt::format("mesh-scale-vertices: mean {} with std {}; expected some draws above 0", o.mean, o.std));
  }
  std::vector<double> factors(o.mode == ScaleMode::axis ? 3 : idx(num_vertices));
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const Rng own = rng.split(static_cast<std::uint64_t>(i));
    for (std::uint64_t draw = 0;; ++draw) {
      factors[i] = o.mean + o.std * own.normal(draw);
      if (factors[i] > 0 || o.allow_nonpositive) break;
    }
  }
  return factors;
}

std::vector<Vec3> scale_vertices(std::span<const Vec3> vertices, std::span<const double> factor,
                                 ScaleMode mode) {
  const std::size_t expected = mode == ScaleMode::axis ? 3 : vertices.size();
  if (factor.size() != expected) {
    throw ShapeError(
        fmt::format("mesh-scale-vertices: factor has {} entries; expected {}", factor.size(), expected));
  }
  std::vector<Vec3> scaled(vertices.begin(), vertices.end());
  for (std::size_t v = 0; v < scaled.size(); ++v) {
    Vec3& p = scaled[v];
    p = mode == ScaleMode::axis ? Vec3{factor[0] * p.x, factor[1] * p.y, factor[2] * p.z} : factor[v] * p;
  }
  return scaled;
}

std::vector<Vec3> slide_vertices(const TriangleMesh& mesh, const SlideVerticesOptions& o,
                                 std::span<const NodeId> permutation, std::span<const double> u_choice,
                                 std::span<const double> u_factor) {
  check_options(o, "mesh-slide-vertices");
  require_valid_mesh("mesh-slide-vertices", mesh);
  require_permutation("mesh-slide-vertices", permutation, mesh.num_vertices());
  if (u_choice.size() != mesh.vertices.size() || u_factor.size() != mesh.vertices.size()) {
    throw ShapeError(fmt::format("mesh-slide-vertices: u_choice has {} entries, u_factor {}; expected {}",
                                 u_choice.size(), u_factor.size(), mesh.num_vertices()));
  }
  const FlatNeighbours neighbours(mesh);
  std::vector<Vec3> moved = mesh.vertices;
  const auto target = static_cast<Size>(o.fraction * static_cast<double>(mesh.num_vertices()));
  Size done = 0;
  for (const NodeId v : permutation) {
    if (done >= target) break;
    const auto& around = neighbours.of[idx(v)];
    if (around.empty()) continue;
    double smallest = around[0].angle;
    for (const auto& n : around) smallest = std::min(smallest, n.angle);
    if (!(o.min_dihedral_angle < smallest && smallest < 2 * std::numbers::pi - o.min_dihedral_angle))
      continue;
    const auto choice = std::min(
        static_cast<std::size_t>(u_choice[idx(v)] * static_cast<double>(around.size())), around.size() - 1);
    Vec3& p = moved[idx(v)];
    p = p + (0.2 + 0.3 * u_factor[idx(v)]) * (moved[idx(around[choice].vertex)] - p);
    ++done;
  }
  return moved;
}

TriangleMesh augment_mesh(const TriangleMesh& mesh, const AugmentOptions& o, const Rng& rng) {
  TriangleMesh result = mesh;
  if (o.scale_vertices) {
    const ScaleVerticesOptions scale{.mean = o.scale_mean, .std = o.scale_std, .mode = o.scale_mode};
    const std::vector<double> factors = draw_scale_factors(scale, mesh.num_vertices(), rng.split("scale"));
    result.vertices = scale_vertices(result.vertices, factors, o.scale_mode);
  }
  if (o.flip_edges > 0) {
    const auto num_pairs = static_cast<Size>(face_pairs(HalfEdges(result)).size());
    result.faces = flip_edges(result, {.fraction = o.flip_edges}, random_order(num_pairs, rng.split("flip")));
  }
  if (o.slide_vertices > 0) {
    const Rng own = rng.split("slide");
    result.vertices = slide_vertices(result, {.fraction = o.slide_vertices},
                                     random_order(mesh.num_vertices(), own.split("order")),
                                     uniforms(mesh.num_vertices(), own.split("choice")),
                                     uniforms(mesh.num_vertices(), own.split("factor")));
  }
  return result;
}

}  // namespace tarn
