#include "tarn/graph/mesh/mesh_report.hpp"

#include "tarn/graph/mesh/half_edges.hpp"
#include "tarn/graph/mesh/mesh_labels.hpp"

#include "graph/mesh_fixture.hpp"
#include <catch2/catch.hpp>

using namespace tarn;
using namespace tarn::test;

TEST_CASE("a closed mesh is reported with its genus", "[mesh][report]") {
  const MeshReport r = report_mesh(cube());
  CHECK(r.vertices == 8);
  CHECK(r.edges == 18);
  CHECK(r.faces == 12);
  CHECK(r.components == 1);
  CHECK(r.euler_number == 2);
  CHECK(r.genus == Size{0});
  CHECK(r.boundary_loops == 0);
}

TEST_CASE("holes that touch in a vertex are one boundary loop, walked with the surface at one side", "[mesh][report]") {
  TriangleMesh mesh = plane(4, 4);
  CHECK(report_mesh(mesh).boundary_loops == 1);
  // Two holes that share the middle vertex: squares (1, 1) and (2, 2).
  const auto square = [](Size i, Size j) { return (i * 4 + j) * 2; };
  for (const Size first : {square(2, 2), square(1, 1)}) {
    mesh.faces.erase(mesh.faces.begin() + first, mesh.faces.begin() + first + 2);
  }
  const MeshReport r = report_mesh(mesh);
  CHECK(r.boundary_edges == 16 + 8);
  CHECK(r.boundary_loops == 2);
  CHECK(r.nonmanifold_vertices == 1);
  CHECK(r.euler_number == -1);
  CHECK_FALSE(r.genus.has_value());
}

TEST_CASE("defects are counted one by one", "[mesh][report]") {
  TriangleMesh mesh = tetrahedron();
  mesh.vertices.push_back({0, 0, 0});    // equal to vertex 0
  mesh.vertices.push_back({5, 5, 5});    // unused
  mesh.vertices.push_back({0.5, 0, 0});  // on the edge of 0 and 1
  mesh.faces.push_back({4, 1, 6});       // collinear
  mesh.faces.push_back({2, 1, 4});       // face 0 again
  const MeshReport r = report_mesh(mesh);
  CHECK(r.vertices == 7);
  CHECK(r.distinct_vertices == 6);
  CHECK(r.unused_vertices == 1);
  CHECK(r.degenerate_faces == 1);
  CHECK(r.duplicate_faces == 1);
  CHECK(r.nonmanifold_edges == 3);  // three faces at each edge of face 0, four at that of 0 and 1
  CHECK(r.nonmanifold_vertices == 3);
  CHECK(r.misoriented_edges == 0);
}

TEST_CASE("a face turned inside out shows at its edges", "[mesh][report]") {
  TriangleMesh mesh = tetrahedron();
  std::swap(mesh.faces[0][0], mesh.faces[0][1]);
  CHECK(report_mesh(mesh).misoriented_edges == 3);
  CHECK_FALSE(report_mesh(mesh).genus.has_value());
}

TEST_CASE("pieces that share no vertex are components", "[mesh][report]") {
  TriangleMesh mesh = cube();
  const TriangleMesh other = tetrahedron();
  for (Vec3 v : other.vertices) mesh.vertices.push_back(v + Vec3{9, 0, 0});
  for (Triangle t : other.faces) mesh.faces.push_back({t[0] + 8, t[1] + 8, t[2] + 8});
  const MeshReport r = report_mesh(mesh);
  CHECK(r.components == 2);
  CHECK(r.euler_number == 4);
  CHECK_FALSE(r.genus.has_value());
  CHECK(report_mesh({}).components == 0);
}

TEST_CASE("half-edges find their twins and mesh edges ascend", "[mesh][half-edges]") {
  const HalfEdges half_edges(plane(2, 1));
  CHECK(half_edges.count() == 12);
  CHECK(half_edges.num_edges() == 9);
  Size boundary = 0;
  for (Size h = 0; h < half_edges.count(); ++h) {
    const Size twin = half_edges.twin(h);
    boundary += twin < 0;
    if (twin < 0) continue;
    CHECK(half_edges.twin(twin) == h);
    CHECK(half_edges.start(twin) == half_edges.end(h));
    CHECK(half_edges.edge(twin) == half_edges.edge(h));
  }
  CHECK(boundary == 6);
  for (Size e = 1; e < half_edges.num_edges(); ++e) CHECK(half_edges.ends(e - 1) < half_edges.ends(e));
}

TEST_CASE("edges by first sight are numbered face by face", "[mesh][labels]") {
  // Faces {0, 2, 1}, {0, 1, 3}, ...: edges 02, 21, 10, then 13, 30, then 23.
  const HalfEdges half_edges(tetrahedron());
  std::vector<std::pair<NodeId, NodeId>> seen;
  for (const NodeId e : first_sight_order(half_edges)) seen.push_back(half_edges.ends(e));
  const std::vector<std::pair<NodeId, NodeId>> expected{{0, 2}, {1, 2}, {0, 1}, {1, 3}, {0, 3}, {2, 3}};
  CHECK(seen == expected);
}
