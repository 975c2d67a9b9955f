#include "tarn/graph/mesh/shape_features.hpp"

#include "tarn/graph/mesh/mesh_features.hpp"

#include "graph/mesh_fixture.hpp"
#include <catch2/catch.hpp>

#include <cmath>

using namespace tarn;
using namespace tarn::test;

namespace {

std::vector<std::array<double, 5>> features_of(const TriangleMesh& mesh) {
  std::vector<double> areas;
  for (Size f = 0; f < mesh.num_faces(); ++f) areas.push_back(face_area(mesh, f));
  return shape_features(mesh, areas);
}

/// A box of sides 6, 4, 2.
TriangleMesh box() {
  TriangleMesh mesh = cube();
  for (Vec3& v : mesh.vertices) v = {3 * v.x, 2 * v.y, v.z};
  return mesh;
}

Vec3 turned(const Vec3& v) {
  const double c = std::cos(0.7), s = std::sin(0.7);
  const Vec3 w{c * v.x - s * v.y, s * v.x + c * v.y, v.z};
  return {w.x, c * w.y - s * w.z, s * w.y + c * w.z};
}

}  // namespace

TEST_CASE("principal axes are those of the matrix, largest first", "[graph][mesh]") {
  const PrincipalAxes plain = principal_axes({1, 5, 3, 0, 0, 0});
  CHECK(plain.variance == std::array<double, 3>{5, 3, 1});
  CHECK(std::abs(plain.axis[0].y) == 1);
  CHECK(std::abs(plain.axis[2].x) == 1);
  const std::array<double, 6> m{4, 3, 2, 1, -0.5, 0.25};
  const PrincipalAxes axes = principal_axes(m);
  CHECK(axes.variance[0] + axes.variance[1] + axes.variance[2] == Approx(9));
  for (std::size_t k = 0; k < 3; ++k) {
    const Vec3& a = axes.axis[k];
    const Vec3 product{m[0] * a.x + m[3] * a.y + m[4] * a.z, m[3] * a.x + m[1] * a.y + m[5] * a.z,
                       m[4] * a.x + m[5] * a.y + m[2] * a.z};
    CHECK(norm(product - axes.variance[k] * a) < 1e-12);
    CHECK(norm(a) == Approx(1));
    CHECK(std::abs(dot(a, axes.axis[(k + 1) % 3])) < 1e-12);
  }
}

TEST_CASE("a face lies where its centre does, along the axes of the shape", "[graph][mesh]") {
  // A stretched octahedron: faces of one area, centres (+-2/3, +-1, +-1/3).
  TriangleMesh mesh;
  mesh.vertices = {{2, 0, 0}, {-2, 0, 0}, {0, 3, 0}, {0, -3, 0}, {0, 0, 1}, {0, 0, -1}};
  mesh.faces = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4}, {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  const double size = std::sqrt(1 + 4. / 9 + 1. / 9);
  // The plane x / 2 + y / 3 + z = 1 has the normal (3, 2, 6) / 7.
  const double facing = (3 * 2. / 3 + 2 * 1 + 6 * 1. / 3) / 7 / size;
  for (const auto& face : features_of(mesh)) {
    CHECK(face[0] == Approx(1));
    CHECK(face[1] == Approx(facing));
    CHECK(face[2] == Approx(1 / size));
    CHECK(face[3] == Approx(2. / 3 / size));
    CHECK(face[4] == Approx(1. / 3 / size));
  }
  std::swap(mesh.faces[0][1], mesh.faces[0][2]);
  CHECK(features_of(mesh)[0][1] == Approx(-facing));
}

TEST_CASE("places in a shape do not change with position, turn and size", "[graph][mesh]") {
  const TriangleMesh mesh = box();
  TriangleMesh moved = mesh;
  for (Vec3& v : moved.vertices) v = 2.5 * turned(v) + Vec3{10, -4, 7};
  const auto before = features_of(mesh), after = features_of(moved);
  for (std::size_t f = 0; f < before.size(); ++f) {
    for (std::size_t k = 0; k < 5; ++k) CHECK(after[f][k] == Approx(before[f][k]).margin(1e-9));
  }
}

TEST_CASE("a mesh of one face lies in its own centre", "[graph][mesh]") {
  const TriangleMesh one{{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}, {{0, 1, 2}}};
  CHECK(features_of(one).front() == std::array<double, 5>{0, 0, 0, 0, 0});
  CHECK(shape_features({}, {}).empty());
  PrimalDualOptions options;
  options.primal_features = PrimalFeatures::shape;
  CHECK(primal_width(options) == 6);
  const PrimalDualMesh graph = primal_dual_mesh(box(), options);
  REQUIRE(graph.x.shape() == Shape{12, 6});
  CHECK(static_cast<double>(graph.x.matrix()(0, 0)) == Approx(4.0 / 88));
  CHECK(static_cast<double>(graph.x.matrix()(0, 1)) == Approx(features_of(box())[0][0]));
}
