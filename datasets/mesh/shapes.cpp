#include "tarn/datasets/mesh/shapes.hpp"

#include "tarn/core/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <utility>

namespace tarn {

namespace {

constexpr double tau = 2 * std::numbers::pi;

constexpr std::size_t idx(Size i) {
  return static_cast<std::size_t>(i);
}

void require_parts(const char* shape, Size given, Size least) {
  if (given < least) throw ValueError(fmt::format("{}: {} parts; expected at least {}", shape, given, least));
}

void add_square(TriangleMesh& mesh, NodeId a, NodeId b, NodeId c, NodeId d) {
  mesh.faces.push_back({a, b, c});
  mesh.faces.push_back({a, c, d});
}

/// Rings of n vertices, closed by a vertex at each end; a ring may lie in a pole. From the lower end up.
class Lathe {
 public:
  explicit Lathe(Size parts, double lower) : parts_(parts) { mesh_.vertices.push_back({0, 0, lower}); }

  void add_ring(double radius, double height) {
    const NodeId first = last();
    for (Size k = 0; k < parts_; ++k) {
      const double angle = tau * static_cast<double>(k) / static_cast<double>(parts_);
      mesh_.vertices.push_back({radius * std::cos(angle), radius * std::sin(angle), height});
    }
    for (Size k = 0; k < parts_; ++k) {
      const Size next = (k + 1) % parts_;
      if (rings_ == 0) {
        mesh_.faces.push_back({0, at(first, next), at(first, k)});
      } else {
        const NodeId below = first - static_cast<NodeId>(parts_);
        add_square(mesh_, at(below, k), at(below, next), at(first, next), at(first, k));
      }
    }
    ++rings_;
  }

  TriangleMesh close(double upper) {
    const NodeId ring = last() - static_cast<NodeId>(parts_), tip = last();
    mesh_.vertices.push_back({0, 0, upper});
    for (Size k = 0; k < parts_; ++k) mesh_.faces.push_back({at(ring, k), at(ring, (k + 1) % parts_), tip});
    return std::move(mesh_);
  }

 private:
  [[nodiscard]] NodeId last() const { return static_cast<NodeId>(mesh_.vertices.size()); }
  static NodeId at(NodeId first, Size k) { return first + static_cast<NodeId>(k); }

  Size parts_;
  Size rings_ = 0;
  TriangleMesh mesh_;
};

TriangleMesh make_icosahedron() {
  const double g = std::numbers::phi;
  TriangleMesh mesh;
  mesh.vertices = {{-1, g, 0},  {1, g, 0},  {-1, -g, 0}, {1, -g, 0}, {0, -1, g},  {0, 1, g},
                   {0, -1, -g}, {0, 1, -g}, {g, 0, -1},  {g, 0, 1},  {-g, 0, -1}, {-g, 0, 1}};
  mesh.faces = {{0, 11, 5},  {0, 5, 1},  {0, 1, 7},  {0, 7, 10}, {0, 10, 11}, {1, 5, 9}, {5, 11, 4},
                {11, 10, 2}, {10, 7, 6}, {7, 1, 8},  {3, 9, 4},  {3, 4, 2},   {3, 2, 6}, {3, 6, 8},
                {3, 8, 9},   {4, 9, 5},  {2, 4, 11}, {6, 2, 10}, {8, 6, 7},   {9, 8, 1}};
  return mesh;
}

void project_to_sphere(TriangleMesh& mesh) {
  for (Vec3& v : mesh.vertices) v = 1 / norm(v) * v;
}

/// Every face in four.
TriangleMesh subdivide(const TriangleMesh& mesh) {
  TriangleMesh finer;
  finer.vertices = mesh.vertices;
  std::map<std::pair<NodeId, NodeId>, NodeId> middles;
  const auto middle = [&](NodeId a, NodeId b) {
    const auto [place, is_new] =
        middles.emplace(std::minmax(a, b), static_cast<NodeId>(finer.vertices.size()));
    if (is_new) finer.vertices.push_back(0.5 * (mesh.vertices[idx(a)] + mesh.vertices[idx(b)]));
    return place->second;
  };
  for (const Triangle& t : mesh.faces) {
    const NodeId ab = middle(t[0], t[1]), bc = middle(t[1], t[2]), ca = middle(t[2], t[0]);
    for (const Triangle& part : {Triangle{t[0], ab, ca}, {t[1], bc, ab}, {t[2], ca, bc}, {ab, bc, ca}}) {
      finer.faces.push_back(part);
    }
  }
  return finer;
}

}  // namespace

TriangleMesh make_tetrahedron() {
  TriangleMesh mesh{{{1, 1, 1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1}},
                    {{0, 1, 2}, {0, 2, 3}, {0, 3, 1}, {1, 3, 2}}};
  project_to_sphere(mesh);
  return mesh;
}

TriangleMesh make_octahedron() {
  return {{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}},
          {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}}};
}

TriangleMesh make_icosphere(Size subdivisions) {
  require_parts("icosphere", subdivisions, 0);
  TriangleMesh mesh = make_icosahedron();
  for (Size i = 0; i < subdivisions; ++i) mesh = subdivide(mesh);
  project_to_sphere(mesh);
  return mesh;
}

TriangleMesh make_torus(Size n, Size m, double tube) {
  require_parts("torus", std::min(n, m), 3);
  TriangleMesh mesh;
  for (Size i = 0; i < n; ++i) {
    const double u = tau * static_cast<double>(i) / static_cast<double>(n);
    for (Size j = 0; j < m; ++j) {
      const double v = tau * static_cast<double>(j) / static_cast<double>(m);
      const double r = 1 + tube * std::cos(v);
      mesh.vertices.push_back({r * std::cos(u), r * std::sin(u), tube * std::sin(v)});
    }
  }
  const auto at = [&](Size i, Size j) { return static_cast<NodeId>((i % n) * m + j % m); };
  for (Size i = 0; i < n; ++i) {
    for (Size j = 0; j < m; ++j) add_square(mesh, at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
  }
  return mesh;
}

TriangleMesh make_grid(Size n, Size m) {
  require_parts("grid", std::min(n, m), 1);
  const double side = 1 / static_cast<double>(std::max(n, m));
  TriangleMesh mesh;
  for (Size i = 0; i <= n; ++i) {
    for (Size j = 0; j <= m; ++j)
      mesh.vertices.push_back({side * static_cast<double>(i), side * static_cast<double>(j), 0});
  }
  const auto at = [&](Size i, Size j) { return static_cast<NodeId>(i * (m + 1) + j); };
  for (Size i = 0; i < n; ++i) {
    for (Size j = 0; j < m; ++j) add_square(mesh, at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
  }
  return mesh;
}

TriangleMesh make_cylinder(Size n, Size m, double height) {
  require_parts("cylinder", std::min(n, m + 2), 3);
  Lathe lathe(n, -height / 2);
  for (Size k = 0; k <= m; ++k)
    lathe.add_ring(1, height * (static_cast<double>(k) / static_cast<double>(m) - 0.5));
  return lathe.close(height / 2);
}

TriangleMesh make_cone(Size n, Size m, double height) {
  require_parts("cone", std::min(n, m + 2), 3);
  Lathe lathe(n, 0);
  for (Size k = 0; k < m; ++k) {
    const double share = static_cast<double>(k) / static_cast<double>(m);
    lathe.add_ring(1 - share, height * share);
  }
  return lathe.close(height);
}

TriangleMesh make_box(Size n) {
  require_parts("box", n, 1);
  TriangleMesh mesh;
  std::map<std::array<Size, 3>, NodeId> numbers;
  const auto vertex = [&](const std::array<Size, 3>& at) {
    const auto [place, is_new] = numbers.emplace(at, static_cast<NodeId>(mesh.vertices.size()));
    const auto coordinate = [n](Size k) { return static_cast<double>(k) / static_cast<double>(n) - 0.5; };
    if (is_new) mesh.vertices.push_back({coordinate(at[0]), coordinate(at[1]), coordinate(at[2])});
    return place->second;
  };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (const bool upper : {false, true}) {
      const auto corner = [&](Size i, Size j) {
        std::array<Size, 3> at{};
        at[axis] = upper ? n : 0;
        at[(axis + 1) % 3] = upper ? i : j;
        at[(axis + 2) % 3] = upper ? j : i;
        return vertex(at);
      };
      for (Size i = 0; i < n; ++i) {
        for (Size j = 0; j < n; ++j) {
          add_square(mesh, corner(i, j), corner(i + 1, j), corner(i + 1, j + 1), corner(i, j + 1));
        }
      }
    }
  }
  return mesh;
}

TriangleMesh make_capsule(Size n, Size m, Size k, double height) {
  require_parts("capsule", std::min({n, m + 2, k + 2}), 3);
  const double half = height / 2;
  Lathe lathe(n, -half - 1);
  const auto add_hemisphere_ring = [&](Size ring, double sign) {
    const double angle = tau / 4 * static_cast<double>(ring) / static_cast<double>(m);
    lathe.add_ring(std::sin(angle), sign * (half + std::cos(angle)));
  };
  for (Size ring = 1; ring <= m; ++ring) add_hemisphere_ring(ring, -1);
  for (Size part = 1; part < k; ++part)
    lathe.add_ring(1, height * (static_cast<double>(part) / static_cast<double>(k) - 0.5));
  for (Size ring = m; ring >= 1; --ring) add_hemisphere_ring(ring, 1);
  return lathe.close(half + 1);
}

double mean_edge_length(const TriangleMesh& mesh) {
  double total = 0;
  for (Size f = 0; f < mesh.num_faces(); ++f) {
    for (Size c = 0; c < 3; ++c) total += norm(mesh.corner(f, (c + 1) % 3) - mesh.corner(f, c));
  }
  return mesh.faces.empty() ? 0 : total / static_cast<double>(3 * mesh.num_faces());
}

TriangleMesh jitter_vertices(const TriangleMesh& mesh, double share, const Rng& rng) {
  TriangleMesh moved = mesh;
  const double deviation = share * mean_edge_length(mesh);
  for (std::size_t v = 0; v < moved.vertices.size(); ++v) {
    moved.vertices[v] =
        moved.vertices[v] + deviation * Vec3{rng.normal(3 * v), rng.normal(3 * v + 1), rng.normal(3 * v + 2)};
  }
  return moved;
}

TriangleMesh rotate_randomly(const TriangleMesh& mesh, const Rng& rng) {
  // A uniform unit quaternion: four normal draws, normalised.
  double q[4], squares = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    q[i] = rng.normal(i);
    squares += q[i] * q[i];
  }
  const double s = q[0] / std::sqrt(squares);
  const Vec3 u = 1 / std::sqrt(squares) * Vec3{q[1], q[2], q[3]};
  TriangleMesh rotated = mesh;
  for (Vec3& v : rotated.vertices) {
    v = 2 * dot(u, v) * u + (s * s - dot(u, u)) * v + 2 * s * cross(u, v);
  }
  return rotated;
}

TriangleMesh reorder_faces(const TriangleMesh& mesh, std::span<const Size> order) {
  TriangleMesh result{mesh.vertices, {}};
  for (const Size f : order) result.faces.push_back(mesh.faces[idx(f)]);
  return result;
}

}  // namespace tarn
