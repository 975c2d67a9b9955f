#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"
#include "tarn/graph/mesh/mesh_clean.hpp"
#include "tarn/graph/mesh/mesh_features.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <string>

using namespace tarn;

namespace {

/// A file with what it holds, and what cleaning leaves with and without the manifold rule.
struct Asset {
  const char* file;
  Size vertices, polygons, triangles;
  Size clean_vertices, clean_triangles, clean_pairs, boundary;
  Size any_triangles, any_pairs;
};

constexpr Asset assets[] = {
    {"bob_small.ply", 250, 500, 500, 250, 500, 750, 0, 500, 750},
    {"cat_head.obj", 131, 248, 248, 131, 248, 366, 12, 248, 366},
    {"dodecahedron_poly.obj", 20, 12, 36, 20, 36, 54, 0, 36, 54},
    {"fan3.obj", 5, 3, 3, 3, 1, 0, 3, 3, 3},
    {"fox.ply", 313, 622, 622, 313, 622, 933, 0, 622, 933},
    {"hourglass_ico.obj", 23, 40, 40, 23, 40, 60, 0, 40, 60},
    {"lego.ply", 1649, 3072, 3072, 1649, 3072, 4496, 224, 3072, 4496},
    {"moebius.obj", 280, 224, 448, 280, 444, 605, 122, 448, 616},
    {"platonic_shelf.obj", 50, 50, 80, 50, 80, 120, 0, 80, 120},
    {"sphere_small.ply", 162, 320, 320, 162, 320, 480, 0, 320, 480},
    {"spot.ply", 2930, 5856, 5856, 2930, 5856, 8784, 0, 5856, 8784},
    {"stl_box_ascii.stl", 36, 12, 12, 8, 12, 18, 0, 12, 18},
    {"stl_box_binary.stl", 36, 12, 12, 8, 12, 18, 0, 12, 18},
    {"tet.obj", 4, 4, 4, 4, 4, 6, 0, 4, 6},
    {"triple_vierbein.obj", 75, 108, 108, 75, 88, 89, 86, 108, 162},
};

std::string asset_path(const char* file) {
  return std::string(TARN_TESTS_DIR "/datasets/data/meshes/") + file;
}

Size boundary_edges(const TriangleMesh& mesh) {
  const HalfEdges half_edges(mesh);
  Size count = 0;
  for (Size e = 0; e < half_edges.num_edges(); ++e) count += half_edges.around(e).size() == 1;
  return count;
}

Size num_pairs(const TriangleMesh& mesh) {
  return static_cast<Size>(face_pairs(HalfEdges(mesh)).size());
}

PolygonSoup parse(std::string_view text, MeshFormat format) {
  return parse_mesh(text, format, "mesh");
}

/// Two triangles of a unit square, as every format below describes them.
PolygonSoup square() {
  PolygonSoup soup;
  soup.vertices = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}};
  soup.add_polygon(std::vector<NodeId>{0, 1, 2});
  soup.add_polygon(std::vector<NodeId>{0, 2, 3});
  return soup;
}

std::string reversed(std::string number) {
  return {number.rbegin(), number.rend()};
}

template <class T>
std::string little(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

}  // namespace

TEST_CASE("15 mesh files hold and clean to the known counts", "[mesh][reader]") {
  for (const Asset& a : assets) {
    INFO(a.file);
    const PolygonSoup soup = read_mesh(asset_path(a.file));
    CHECK(static_cast<Size>(soup.vertices.size()) == a.vertices);
    CHECK(soup.num_polygons() == a.polygons);
    const TriangulatedMesh triangles = triangulate(soup, a.file);
    CHECK(triangles.mesh.num_faces() == a.triangles);
    const TriangleMesh clean = clean_mesh(triangles.mesh).mesh;
    CHECK(clean.num_vertices() == a.clean_vertices);
    CHECK(clean.num_faces() == a.clean_triangles);
    CHECK(num_pairs(clean) == a.clean_pairs);
    CHECK(boundary_edges(clean) == a.boundary);
    const TriangleMesh any = clean_mesh(triangles.mesh, {.prevent_nonmanifold_edges = false}).mesh;
    CHECK(any.num_faces() == a.any_triangles);
    CHECK(num_pairs(any) == a.any_pairs);
  }
}

TEST_CASE("both STL boxes are the same mesh", "[mesh][reader]") {
  CHECK(read_mesh(asset_path("stl_box_ascii.stl")) == read_mesh(asset_path("stl_box_binary.stl")));
}

TEST_CASE("a mesh that is written reads back as it was", "[mesh][reader][writer]") {
  const ScratchDirectory scratch;
  for (const Asset& a : assets) {
    const PolygonSoup soup = read_mesh(asset_path(a.file));
    for (const char* name : {"mesh.obj", "mesh.off", "mesh.ply"}) {
      INFO(a.file << " as " << name);
      for (const PlyEncoding encoding : {PlyEncoding::ascii, PlyEncoding::binary_little_endian}) {
        write_mesh(soup, scratch / name, encoding);
        PolygonSoup expected = soup;
        if (std::string(name) != "mesh.ply") {
          expected.face_colours.clear();
          expected.vertex_colours.clear();
        }
        CHECK(read_mesh(scratch / name) == expected);
      }
    }
  }
}

TEST_CASE("PLY keeps colours of faces and vertices", "[mesh][reader][writer]") {
  PolygonSoup soup = square();
  soup.face_colours = {{255, 0, 7}, {1, 2, 3}};
  for (const PlyEncoding encoding : {PlyEncoding::ascii, PlyEncoding::binary_little_endian}) {
    CHECK(parse(write_mesh_text(soup, MeshFormat::ply, encoding), MeshFormat::ply) == soup);
    PolygonSoup both = soup;
    both.vertex_colours = {{1, 1, 1}, {2, 2, 2}, {3, 3, 3}, {255, 254, 253}};
    CHECK(parse(write_mesh_text(both, MeshFormat::ply, encoding), MeshFormat::ply) == both);
  }
}

TEST_CASE("numbers of any size read back with all their bits", "[mesh][reader][writer]") {
  PolygonSoup soup;
  soup.vertices = {
      {1.0 / 3, -1e-310, 1.7976931348623157e308}, {-0.0, 5e-324, 0.1}, {123456789.123456789, -1, 1e22}};
  soup.add_polygon(std::vector<NodeId>{0, 1, 2});
  for (const MeshFormat format : {MeshFormat::obj, MeshFormat::off, MeshFormat::ply}) {
    for (const PlyEncoding encoding : {PlyEncoding::ascii, PlyEncoding::binary_little_endian}) {
      const PolygonSoup back = parse(write_mesh_text(soup, format, encoding), format);
      CHECK(back == soup);
      CHECK(std::signbit(back.vertices[1].x));
    }
  }
}

TEST_CASE("OBJ takes every form of corner, comments, continued and unknown lines", "[mesh][reader]") {
  const std::string text =
      "# a comment\r\nmtllib x.mtl\r\no thing\nv 0 0 0 1.0\nv +1 0 0 # tail\nvt 0 0\nvn 0 0 1\nusemtl red\n"
      "f 1/1/1 2/1/1\\\n3/1/1\nv 1 1 0 0.5 0.5 0.5\nv 0 1 0\ns off\nwhatever 3 4\nf -4//1 -2/1 -1";
  CHECK(parse(text, MeshFormat::obj) == square());
  // A backslash parts words, as the end of a line does.
  CHECK(parse("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2\\\n3\nf 1 3 4\n", MeshFormat::obj) == square());
  CHECK(parse("v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n# no \\\nf 1 2 3\nf 1 3 4", MeshFormat::obj) == square());
  CHECK(parse("", MeshFormat::obj).num_polygons() == 0);
}

TEST_CASE("OFF takes counts on the header's line or glued to it", "[mesh][reader]") {
  const std::string vertices = "0 0 0\n1 0 0 255 0 0\n\n# between\n1 1 0\n0 1 0\n";
  const std::string faces = "3 0 1 2\n3 0 2 3 255 0 0";
  for (const char* head : {"OFF\n4 2 5\n", "OFF 4 2 0\n", "OFF4 2 0\n", "COFF\n4 2\n", "NOFF\n4 2 0\n",
                           "STOFF # x\n# y\n4 2 0\n", "\n\n# first\nOFF\r\n4 2 0\r\n"}) {
    INFO(head);
    CHECK(parse(head + vertices + faces, MeshFormat::off) == square());
  }
  CHECK(parse("OFF\n0 0 0", MeshFormat::off) == PolygonSoup{});
}

TEST_CASE("PLY takes elements and properties in any order and byte order", "[mesh][reader]") {
  const std::string header =
      "ply\nformat {} 1.0\ncomment made by hand\nobj_info none\nelement face 2\nproperty list uchar ushort "
      "vertex_index\n"
      "property short flags\nelement extra 2\nproperty list int double values\nelement vertex 4\nproperty "
      "uchar mark\n"
      "property double z\nproperty float x\nproperty float y\nelement nothing 7\nend_header\n";
  const auto with = [&](const std::string& format) {
    std::string text = header;
    return text.replace(text.find("{}"), 2, format);
  };
  CHECK(parse(with("ascii") + "3 0 1 2 -7\n3 0 2 3 1\n0\n2 nan 1e5\n9 0 0 0\n9 0 1 0\n9 0 1 1\n9 0 0 1\n",
              MeshFormat::ply) == square());
  for (const bool big : {false, true}) {
    const auto bytes = [&](auto value) { return big ? reversed(little(value)) : little(value); };
    std::string body;
    for (const auto& face : {std::array{0, 1, 2}, std::array{0, 2, 3}}) {
      body += '\3';
      for (const int v : face) body += bytes(static_cast<std::uint16_t>(v));
      body += bytes(static_cast<std::int16_t>(-7));
    }
    body += bytes(std::int32_t{0}) + bytes(std::int32_t{2}) + bytes(std::nan("")) + bytes(1e5);
    for (const Vec3& p : square().vertices) {
      body += '\1' + bytes(p.z) + bytes(static_cast<float>(p.x)) + bytes(static_cast<float>(p.y));
    }
    CHECK(parse(with(big ? "binary_big_endian" : "binary_little_endian") + body, MeshFormat::ply) ==
          square());
  }
}

TEST_CASE("an STL facet turns where its normal points the other way", "[mesh][reader]") {
  const auto facet = [](const char* normal) {
    return std::string("solid a b c\n facet normal ") + normal +
           "\n outer loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a b "
           "c\nSOLID\nENDSOLID\n";
  };
  const std::vector<Vec3> as_listed{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
  const std::vector<Vec3> turned{{0, 0, 0}, {0, 1, 0}, {1, 0, 0}};
  for (const char* normal : {"0 0 1", "0 0 0", "nan nan nan", "1 0 0"}) {
    CHECK(parse(facet(normal), MeshFormat::stl).vertices == as_listed);
  }
  CHECK(parse(facet("0 0.1 -1"), MeshFormat::stl).vertices == turned);
}

TEST_CASE("a binary STL that begins with 'solid' is told by its size", "[mesh][reader]") {
  std::string bytes = "solid looks like text";
  bytes.resize(80, ' ');
  bytes += little(std::uint32_t{1});
  for (const float v : {0.F, 0.F, 1.F, 0.F, 0.F, 0.F, 1.F, 0.F, 0.F, 0.F, 1.F, 0.F}) bytes += little(v);
  bytes += "\1\1";
  CHECK(parse(bytes, MeshFormat::stl).num_polygons() == 1);
}

TEST_CASE("polygons become fans in their place", "[mesh][reader]") {
  PolygonSoup soup;
  soup.vertices.resize(5);
  soup.add_polygon(std::vector<NodeId>{0, 1, 2, 3, 4});
  soup.add_polygon(std::vector<NodeId>{2, 1, 0});
  const TriangulatedMesh mesh = triangulate(soup, "pentagon");
  CHECK(mesh.mesh.faces == std::vector<Triangle>{{0, 1, 2}, {0, 2, 3}, {0, 3, 4}, {2, 1, 0}});
  CHECK(mesh.source == std::vector<NodeId>{0, 0, 0, 1});
  CHECK_THROWS_WITH(triangulate(soup, "pentagon", Triangulate::refuse),
                    "pentagon: face 0 has 5 corners; expected triangles");
}

TEST_CASE("the extension names the format in any case, and a format given wins", "[mesh][reader][errors]") {
  const ScratchDirectory scratch;
  write_file_atomically(scratch / "square.OBJ", write_mesh_text(square(), MeshFormat::obj));
  CHECK(read_mesh(scratch / "square.OBJ") == square());
  write_file_atomically(scratch / "square.obj", write_mesh_text(square(), MeshFormat::off));
  CHECK(read_mesh(scratch / "square.obj", MeshFormat::off) == square());
  CHECK_THROWS_WITH(read_mesh("square.fbx"),
                    "square.fbx: has extension '.fbx'; expected .obj, .off, .ply or .stl");
  CHECK_THROWS_AS(read_mesh(scratch / "missing.ply"), IoError);
  CHECK_THROWS_AS(write_mesh(square(), scratch / "square.stl"), ConfigError);
}
