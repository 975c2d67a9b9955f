#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/mesh/mesh_file.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace tarn;

namespace {

/// A broken file and the message that it gives.
struct Broken {
  std::string text;
  const char* message;
};

void check_all(MeshFormat format, const std::vector<Broken>& files) {
  for (const Broken& file : files) {
    INFO(file.text);
    CHECK_THROWS_WITH(parse_mesh(file.text, format, "m"), file.message);
    CHECK_THROWS_AS(parse_mesh(file.text, format, "m"), DataError);
  }
}

std::string ply(const std::string& header, const std::string& body = "") {
  return "ply\nformat ascii 1.0\n" + header + "end_header\n" + body;
}

const std::string vertex = "element vertex 3\nproperty float x\nproperty float y\nproperty float z\n";
const std::string face = "element face 1\nproperty list uchar int vertex_indices\n";
const std::string corners = "0 0 0\n1 0 0\n0 1 0\n";

std::string binary_ply(const std::string& body) {
  return "ply\nformat binary_little_endian 1.0\n" + vertex + face + "end_header\n" + body;
}

std::string binary_stl(std::size_t claimed, std::size_t facets) {
  std::string bytes(84 + 50 * facets, '\0');
  bytes[80] = static_cast<char>(claimed);
  return bytes;
}

}  // namespace

TEST_CASE("a broken OBJ is refused with line and word", "[mesh][reader][errors]") {
  check_all(
      MeshFormat::obj,
      {{"v 1 2", "m:1: the line ends before z of a vertex; expected a number"},
       {"\nv 1 2 three", "m:2: z of a vertex is 'three'; expected a number"},
       {"v 1 nan 2", "m:1: y of a vertex is 'nan'; expected a finite number"},
       {"v 1 -inf 2", "m:1: y of a vertex is '-inf'; expected a finite number"},
       {"v 1e999 0 0", "m:1: x of a vertex is '1e999'; expected a finite number"},
       {"v 1,5 0 0", "m:1: x of a vertex is '1,5'; expected a number"},
       {"v 0 0 0\nf 1 1", "m:2: a face of 2 corners; expected at least 3"},
       {"f", "m:1: a face of 0 corners; expected at least 3"},
       {"v 0 0 0\nf 1 0 1", "m:2: a corner is '0'; expected a vertex from 1, or from -1 to -1"},
       {"v 0 0 0\nf 1 -2 1", "m:2: a corner is '-2'; expected a vertex from 1, or from -1 to -1"},
       {"v 0 0 0\nf 1 1 9999999999",
        "m:2: a corner is '9999999999'; expected a vertex from 1, or from -1 to -1"},
       {"f 1 2 99999999999999999999", "m:1: a corner is '99999999999999999999'; expected a smaller number"},
       {"v 0 0 0\nf 1 1 2\n",
        "m:2: the file ends with 1 vertices but the face in line 2 names vertex 2; expected vertices from 1 "
        "to 1"},
       {"f 1 2 a", "m:1: a corner is 'a'; expected a whole number"},
       {"f 1/2/3/4 1 1", "m:1: a corner is '1/2/3/4'; expected v, v/t, v//n or v/t/n"},
       {"f 1/x 1 1", "m:1: part of a corner is 'x'; expected a whole number"},
       {"f 1.0 1 1", "m:1: a corner is '1.0'; expected a whole number"},
       {std::string("f \x01\xff 1 1"),
        "m:1: a corner is '?"
        "?'; expected a whole number"},
       {"v 0 0 " + std::string(50, 'x'),
        "m:1: z of a vertex is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'; expected a number"}});
}

TEST_CASE("a broken OFF is refused with line and word", "[mesh][reader][errors]") {
  const std::string three = "0 0 0\n1 0 0\n0 1 0\n";
  check_all(
      MeshFormat::off,
      {{"", "m:0: the file is empty; expected OFF"},
       {"ply", "m:1: the file begins with 'ply'; expected OFF"},
       {"XOFF\n", "m:1: the file begins with 'XOFF'; expected OFF, COFF, NOFF or STOFF"},
       {"4OFF\n",
        "m:1: '4OFF' has points of other than three dimensions, which is not supported; expected OFF"},
       {"nOFF\n",
        "m:1: 'nOFF' has points of other than three dimensions, which is not supported; expected OFF"},
       {"OFF BINARY\n", "m:1: binary OFF is not supported; expected OFF as text"},
       {"OFF\n", "m:1: the file ends before the counts; expected numbers of vertices and faces"},
       {"OFF\n0\n", "m:2: the line ends before the number of faces; expected a whole number"},
       {"OFF\n-1 0 0\n",
        "m:2: the number of vertices is -1; expected 0 to 0, what the 0 bytes that follow can hold"},
       {"OFF\n4000000000 1 0\n0 0 0\n",
        "m:2: the number of vertices is 4000000000; expected 0 to 1, what the 6 bytes that follow can hold"},
       {"OFF\n1 99 0\n0 0 0\n3 0 0 0\n",
        "m:2: the number of faces is 99; expected 0 to 7, what the 14 bytes that follow can hold"},
       {"OFF\n2 1 0\n0 0 0 0 0 0 0 0", "m:3: the file ends after 1 vertices; expected 2"},
       {"OFF\n3 1 0\n" + three, "m:5: the file ends after 0 faces; expected 1"},
       {"OFF\n3 1 0\n0 0 0\n1 0\n0 1 0\n3 0 1 2\n",
        "m:4: the line ends before z of a vertex; expected a number"},
       {"OFF\n3 1 0\n0 0 0\n1 0 inf\n0 1 0\n3 0 1 2\n",
        "m:4: z of a vertex is 'inf'; expected a finite number"},
       {"OFF\n3 1 0\n" + three + "2 0 1\n", "m:6: a face of 2 corners; expected at least 3"},
       {"OFF\n3 1 0\n" + three + "-3 0 1\n", "m:6: a face of -3 corners; expected at least 3"},
       {"OFF\n3 1 0\n" + three + "900000000 0 1 2\n",
        "m:6: a face of 900000000 corners in a line of 15 bytes; expected fewer"},
       {"OFF\n3 1 0\n" + three + "4 0 1 2\n", "m:6: the line ends before a corner; expected a whole number"},
       {"OFF\n3 1 0\n" + three + "3 0 1 3\n", "m:6: a corner names vertex 3; expected a number from 0 to 2"},
       {"OFF\n3 1 0\n" + three + "3 0 1 -1\n",
        "m:6: a corner names vertex -1; expected a number from 0 to 2"}});
}

TEST_CASE("a broken PLY header is refused with line and word", "[mesh][reader][errors]") {
  check_all(
      MeshFormat::ply,
      {{"", "m:0: the file begins with ''; expected ply"},
       {"plyx\n", "m:1: the file begins with 'plyx'; expected ply"},
       {"ply\nformat ascii 1.0\n", "m:2: the file ends inside the header; expected end_header"},
       {"ply\nend_header\n", "m:2: the header names no format; expected a line such as format ascii 1.0"},
       {"ply\nformat ascii 2.0\n", "m:2: the format's version is '2.0'; expected 1.0"},
       {"ply\nformat text 1.0\n",
        "m:2: the format is 'text'; expected ascii, binary_little_endian or binary_big_endian"},
       {ply("hello\n"),
        "m:3: unknown word 'hello' in the header; expected format, element, property, comment, obj_info or "
        "end_header"},
       {ply("property float x\n"), "m:3: a property before any element; expected an element"},
       {ply("element\n"), "m:3: an element without a name; expected a name and a count"},
       {ply("element vertex -1\n"), "m:3: the count of an element is -1; expected at least 0"},
       {ply("element vertex many\n"), "m:3: the count of an element is 'many'; expected a whole number"},
       {ply("element vertex 0\nelement vertex 0\n"),
        "m:4: element 'vertex' is there already; expected it once"},
       {ply("element vertex 1\nproperty half x\n"),
        "m:4: unknown type 'half'; expected char, uchar, short, ushort, int, uint, float, double or int8 to "
        "float64"},
       {ply("element vertex 1\nproperty float\n"),
        "m:4: a property without a name; expected a type and a name"},
       {ply("element face 1\nproperty list float int vertex_indices\n"),
        "m:4: the count of a list is a real number; expected a type of whole numbers"},
       {ply(face), "m: the header has no element vertex; expected vertex and face"},
       {ply(vertex), "m: the header has no element face; expected vertex and face"},
       {ply("element vertex 1\nproperty float x\nproperty float y\n" + face),
        "m:3: element vertex has no property z; expected it as float or double"},
       {ply("element vertex 1\nproperty int x\nproperty float y\nproperty float z\n" + face),
        "m:3: element vertex has no property x; expected it as float or double"},
       {ply(vertex + "element face 1\nproperty int vertex_indices\n"),
        "m:7: element face has no list vertex_indices; expected vertex_indices or vertex_index"}});
}

TEST_CASE("a broken PLY body is refused with its place", "[mesh][reader][errors]") {
  const std::string zeros(36, '\0');
  check_all(
      MeshFormat::ply,
      {{ply("element vertex 2000000000\nproperty float x\nproperty float y\nproperty float z\n" + face,
            "0 0 0\n"),
        "m:3: element 'vertex' has count 2000000000; expected at most 2, what the 17 bytes that follow can "
        "hold"},
       {ply("element vertex 9999999999\n" + vertex.substr(17) + face, ""),
        "m:3: element 'vertex' has count 9999999999; expected at most 1, what the 11 bytes that follow can "
        "hold"},
       {ply(vertex + face, "0 0 0\n1 0 0 0 1 0 3\n"),
        "m:11: the file ends inside an element; expected more numbers"},
       {ply(vertex + face, "0 0 0\n1 x 0\n0 1 0\n3 0 1 2\n"), "m:11: a coordinate is 'x'; expected a number"},
       {ply(vertex + face, "0 0 0\n1 nan 0\n0 1 0\n3 0 1 2\n"),
        "m:11: a coordinate is 'nan'; expected a finite number"},
       {ply(vertex + face, corners + "2 0 1\n"), "m:13: a face of 2 corners; expected at least 3"},
       {ply(vertex + face, corners + "-3 0 1\n"),
        "m:13: a list of -3 numbers with 7 bytes to come; expected what they can hold"},
       {ply(vertex + face, corners + "200 0 1\n"),
        "m:13: a list of 200 numbers with 8 bytes to come; expected what they can hold"},
       {ply(vertex + face, corners + "3 0 1 -2\n"),
        "m:13: a corner names vertex -2; expected a whole number of at least 0"},
       {ply(vertex + face, corners + "3 0 1 3\n"),
        "m: a face (line 13) names vertex 3; expected a number from 0 to 2"},
       {ply(vertex + face + "property uchar red\nproperty uchar green\nproperty uchar blue\n",
            corners + "3 0 1 2 0 256 0\n"),
        "m:16: a colour is 256; expected a number from 0 to 255"},
       {binary_ply(zeros),
        "m:7: element 'face' has count 1; expected at most 0, what the 0 bytes that follow can hold"},
       {"ply\nformat binary_little_endian 1.0\n" + vertex + face + "property double mark\nend_header\n" +
            zeros + "\x03" + std::string(12, '\0'),
        "m: byte 239: the file ends inside an element; expected more bytes"},
       {binary_ply(std::string(30, '\0')),
        "m:3: element 'vertex' has count 3; expected at most 2, what the 30 bytes that follow can hold"},
       {binary_ply(zeros + "\x03" + std::string(12, '\xff')),
        "m: byte 210: a corner names vertex -1; expected a whole number of at least 0"},
       {binary_ply(zeros + "\x03" + std::string("\x07\0\0\0", 4) + std::string(8, '\0')),
        "m: a face (byte 210) names vertex 7; expected a number from 0 to 2"},
       {binary_ply(zeros + "\xff" + std::string(12, '\0')),
        "m: byte 206: a list of 255 numbers with 12 bytes to come; expected what they can hold"},
       {binary_ply(std::string(4, '\xff') + zeros.substr(4) + "\x03" + std::string(12, '\0')),
        "m: byte 173: a coordinate is -nan; expected a finite number"}});
}

TEST_CASE("a broken STL is refused with its place", "[mesh][reader][errors]") {
  const std::string open = "solid\nfacet normal 0 0 1\nouter loop\n";
  std::string infinite = binary_stl(1, 1);
  infinite.replace(84 + 12, 4, std::string("\0\0\x80\x7f", 4));
  check_all(MeshFormat::stl,
            {{"",
              "m:0: 0 bytes are neither a binary STL (84 and 50 for each of the facets that byte 80 counts) "
              "nor begin with "
              "'solid'; expected one of them"},
             {binary_stl(2, 1),
              "m:1: 134 bytes are neither a binary STL (84 and 50 for each of the facets that byte 80 "
              "counts) nor begin with "
              "'solid'; expected one of them"},
             {infinite, "m: byte 96: a vertex is (inf, 0, 0); expected finite numbers"},
             {"solid x\n", "m:1: the file ends inside a solid; expected facet or endsolid"},
             {"solid x\nvertex 0 0 0", "m:2: got 'vertex'; expected facet or endsolid"},
             {"solid x\nendsolid\nfacet\n", "m:3: got 'facet'; expected solid"},
             {"solid\nfacet 0 0 1\n", "m:2: got '0'; expected normal"},
             {"solid\nfacet normal 0 0 z\n", "m:2: part of a normal is 'z'; expected a number"},
             {open + "vertex 0 0\nvertex 1 0 0", "m:5: a coordinate is 'vertex'; expected a number"},
             {open + "vertex 0 0 nan", "m:4: a coordinate is 'nan'; expected a finite number"},
             {open + "vertex 0 0 0\nvertex 1 0 0\nendloop", "m:6: got 'endloop'; expected vertex"},
             {open + "vertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nvertex 0 1 0",
              "m:7: got 'vertex'; expected endloop"},
             {open + "vertex 0 0", "m:4: the line ends before a coordinate; expected a number"}});
}

TEST_CASE("a mesh file cut short anywhere is an error or a shorter mesh, never a crash",
          "[mesh][reader][errors]") {
  for (const auto& [file, format] :
       {std::pair{"bob_small.ply", MeshFormat::ply}, std::pair{"tet.obj", MeshFormat::obj},
        std::pair{"stl_box_ascii.stl", MeshFormat::stl}, std::pair{"stl_box_binary.stl", MeshFormat::stl}}) {
    const std::string whole = read_file(std::string(TARN_TESTS_DIR "/datasets/data/meshes/") + file);
    const Size polygons = parse_mesh(whole, format, file).num_polygons();
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 500) {
      try {
        const Size fewer = parse_mesh(whole.substr(0, length), format, file).num_polygons();
        CHECK(fewer <= polygons);
      } catch (const DataError& error) {
        CHECK(std::string(error.what()).find(file) == 0);
      }
    }
  }
}
