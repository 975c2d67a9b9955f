#include "tarn/graph/mesh/mesh_clean.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/rng.hpp"

#include "graph/mesh_fixture.hpp"
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

using namespace tarn;
using namespace tarn::test;

namespace {

/// What merging means, by comparing every vertex with every kept one.
std::vector<NodeId> merge_plainly(const std::vector<Vec3>& vertices, double tolerance) {
  std::vector<NodeId> becomes, kept;
  for (std::size_t v = 0; v < vertices.size(); ++v) {
    NodeId best = -1;
    double nearest = 0;
    for (const NodeId k : kept) {
      const Vec3& other = vertices[static_cast<std::size_t>(k)];
      const double distance = norm(other - vertices[v]);
      const bool near = tolerance == 0 ? other == vertices[v] : distance < tolerance;
      if (near && (best < 0 || distance < nearest)) {
        best = k;
        nearest = distance;
      }
    }
    becomes.push_back(best < 0 ? static_cast<NodeId>(v) : best);
    if (best < 0) kept.push_back(static_cast<NodeId>(v));
  }
  return becomes;
}

std::vector<Vec3> random_points(Size count, double scale, const Rng& rng) {
  std::vector<Vec3> points;
  for (Size i = 0; i < count; ++i) {
    const auto at = [&](Size k) {
      return scale * (2 * rng.uniform(static_cast<std::uint64_t>(3 * i + k)) - 1);
    };
    points.push_back({at(0), at(1), at(2)});
  }
  return points;
}

}  // namespace

TEST_CASE("merging by cells finds what comparing all vertices finds", "[mesh][clean]") {
  for (const double scale : {1.0, 1e6}) {
    std::vector<Vec3> points = random_points(400, scale, Rng(1));
    // Copies a hair away, and on the sides of cells.
    for (std::size_t i = 0; i < 200; ++i) {
      const Vec3 shift = static_cast<double>(i % 3) * 1e-13 * random_points(1, 10, Rng(i))[0];
      points.push_back(points[i] + shift);
      points.push_back({std::round(points[i].x), -std::round(points[i].y), 0.0});
    }
    for (const double tolerance : {0.0, 1e-300, 1e-12, 1e-3 * scale, 0.3 * scale, 10 * scale}) {
      INFO(scale << " " << tolerance);
      CHECK(merge_vertices(points, tolerance) == merge_plainly(points, tolerance));
    }
  }
}

TEST_CASE("tolerance 0 merges equal positions alone, and -0 equals 0", "[mesh][clean]") {
  const std::vector<Vec3> points{{0, 0, 0}, {-0.0, 0, -0.0}, {1e-300, 0, 0}, {0, 0, 0}};
  CHECK(merge_vertices(points, 0) == std::vector<NodeId>{0, 0, 2, 0});
}

TEST_CASE("a vertex becomes the nearest kept one strictly inside the tolerance", "[mesh][clean]") {
  const std::vector<Vec3> line{{0, 0, 0}, {1, 0, 0}, {0.5, 0, 0}, {0.625, 0, 0}};
  // 0.5 lies as near to 0 as to 1; 0.625 is nearer to 1.
  CHECK(merge_vertices(line, 0.75) == std::vector<NodeId>{0, 1, 0, 1});
  CHECK(merge_vertices(line, 0.5) == std::vector<NodeId>{0, 1, 2, 2});
  CHECK(merge_vertices(line, 0.125) == std::vector<NodeId>{0, 1, 2, 3});
}

TEST_CASE("cleaning says where vertices and faces come from", "[mesh][clean]") {
  TriangleMesh mesh = tetrahedron();
  mesh.vertices.insert(mesh.vertices.begin(), {9, 9, 9});  // unused
  mesh.vertices.push_back({1, 0, 0});                      // a second copy of vertex 2
  for (Triangle& t : mesh.faces) {
    for (NodeId& v : t) ++v;
  }
  mesh.faces[1][1] = 5;
  mesh.faces.insert(mesh.faces.begin(), {1, 1, 2});      // a vertex twice
  mesh.faces.insert(mesh.faces.begin() + 1, {1, 2, 5});  // twice once merged
  const CleanMesh clean = clean_mesh(mesh);
  CHECK(clean.mesh.vertices == tetrahedron().vertices);
  CHECK(clean.mesh.faces == tetrahedron().faces);
  CHECK(clean.face_source == std::vector<NodeId>{2, 3, 4, 5});
  CHECK(clean.vertex_source == std::vector<NodeId>{1, 2, 3, 4});
  CHECK(clean.counts.merged_vertices == 1);
  CHECK(clean.counts.unused_vertices == 1);
  CHECK(clean.counts.repeated_vertex == 2);
  CHECK(clean.counts.dropped_faces() == 2);
}

TEST_CASE("of faces on the same vertices the last of the majority stays where the first stood",
          "[mesh][clean]") {
  const std::vector<Vec3> points{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  const auto clean = [&](std::vector<Triangle> faces) {
    const CleanMesh result = clean_mesh({points, std::move(faces)}, {.prevent_nonmanifold_edges = false});
    return result.face_source;
  };
  CHECK(clean({{0, 1, 2}, {0, 1, 3}, {1, 2, 0}}) == std::vector<NodeId>{2, 1});
  CHECK(clean({{0, 2, 1}, {0, 1, 3}, {1, 2, 0}, {0, 1, 2}}) == std::vector<NodeId>{3, 1});
  CHECK(clean({{0, 2, 1}, {0, 1, 3}, {1, 2, 0}}) == std::vector<NodeId>{1});
  CHECK(clean({{0, 2, 1}, {2, 1, 0}, {1, 2, 0}}) == std::vector<NodeId>{1});
}

TEST_CASE("the manifold rule drops faces at a half-edge that is taken", "[mesh][clean]") {
  const std::vector<Vec3> points{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}};
  const CleanMesh clean = clean_mesh({points, {{0, 1, 2}, {1, 0, 3}, {0, 1, 4}, {4, 1, 0}}});
  // The third and fourth face are a fin; without them the edge of 0 and 1 has two faces.
  CHECK(clean.face_source == std::vector<NodeId>{0, 1});
  CHECK(clean.counts.duplicate == 2);
  const CleanMesh third = clean_mesh({points, {{0, 1, 2}, {1, 0, 3}, {0, 1, 4}}});
  CHECK(third.face_source == std::vector<NodeId>{0, 1});
  CHECK(third.counts.nonmanifold == 1);
  CHECK(third.mesh.num_vertices() == 4);
}

TEST_CASE("faces with collinear corners have area exactly 0", "[mesh][clean]") {
  // With fused multiply-add these differ from 0 in the last bits.
  const std::vector<Vec3> points{{0.1, 0.1, 0.1}, {0.4, 0.4, 0.4}, {0.7, 0.7, 0.7}, {0, 1, 0}};
  const CleanMesh clean = clean_mesh({points, {{0, 1, 2}, {0, 1, 3}}});
  CHECK(clean.counts.zero_area == 1);
  CHECK(clean.face_source == std::vector<NodeId>{1});
}

TEST_CASE("an empty mesh cleans to an empty mesh", "[mesh][clean]") {
  CHECK(clean_mesh({}).mesh.num_faces() == 0);
  const CleanMesh points = clean_mesh({{{0, 0, 0}}, {}});
  CHECK(points.mesh.num_vertices() == 0);
  CHECK(points.counts.unused_vertices == 1);
}

TEST_CASE("cleaning names what it refuses", "[mesh][clean][errors]") {
  const std::vector<Vec3> points{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
  CHECK_THROWS_WITH(clean_mesh({points, {{0, 1, 3}}}),
                    "mesh-clean: face 0 names vertex 3; expected a number from 0 to 2");
  CHECK_THROWS_WITH(clean_mesh({points, {{0, 1, -1}}}),
                    "mesh-clean: face 0 names vertex -1; expected a number from 0 to 2");
  std::vector<Vec3> broken = points;
  broken[1].y = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH(clean_mesh({broken, {}}), "mesh-clean: vertex 1 is (1, inf, 0); expected finite numbers");
  CHECK_THROWS_WITH(
      clean_mesh({points, {{0, 1, 2}, {0, 0, 1}, {1, 2, 0}}}, {.on_drop = OnDrop::error}),
      "mesh-clean: 2 of 3 faces cannot be used (1 naming a vertex twice, 1 duplicate); expected none");
  CHECK_THROWS_WITH(clean_mesh({points, {}}, {.merge_tolerance = -1}),
                    "mesh-clean.merge_tolerance: got -1.0; expected a number of at least 0");
}
