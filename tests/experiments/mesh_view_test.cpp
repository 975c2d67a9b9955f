#include "tarn/experiments/plot/mesh_view.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/experiments/report_figures.hpp"
#include "tarn/experiments/run_pictures.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <zlib.h>

using namespace tarn;
using namespace tarn::plot;
using Catch::Contains;

namespace {

constexpr Colour red{200, 0, 0}, blue{0, 0, 200};

/// The pixels of a PNG as `png_bytes` writes it.
std::string unpacked(const std::string& png, const ImageSize& size) {
  const std::size_t begin = png.find("IDAT") + 4, end = png.rfind("IEND") - 8;
  std::string out(static_cast<std::size_t>(size.height * (3 * size.width + 1)), '\0');
  uLongf length = out.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                     reinterpret_cast<const Bytef*>(png.data()) + begin, end - begin) == Z_OK);
  REQUIRE(length == out.size());
  return out;
}

/// A triangle that fills the middle of the picture, at depth z.
void add_triangle(TriangleMesh& mesh, double z) {
  const auto first = static_cast<NodeId>(mesh.vertices.size());
  for (const Vec3& v : {Vec3{-1, -1, z}, Vec3{1, -1, z}, Vec3{0, 1, z}}) mesh.vertices.push_back(v);
  mesh.faces.push_back({first, first + 1, first + 2});
}

constexpr MeshView from_front{.azimuth = 0, .elevation = 0, .size = 40};

}  // namespace

TEST_CASE("a picture is a PNG file with its pixels", "[plot][mesh-view]") {
  Image image(3, 2);
  image.at(1, 0) = red;
  image.at(2, 1) = blue;
  const std::string png = png_bytes(image);
  const ImageSize size = png_size(png, "test");
  CHECK(size.width == 3);
  CHECK(size.height == 2);
  const std::string rows = unpacked(png, size);
  CHECK(rows.substr(0, 10) == std::string("\0\xff\xff\xff\xc8\0\0\xff\xff\xff", 10));
  CHECK(rows.substr(10, 10) == std::string("\0\xff\xff\xff\xff\xff\xff\0\0\xc8", 10));
  CHECK_THROWS_WITH(png_size("GIF89a", "x.png"), Contains("x.png: not a PNG file"));
}

TEST_CASE("base64 is that of RFC 4648", "[plot][mesh-view]") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}

TEST_CASE("the nearer face hides the farther one, in any order", "[plot][mesh-view]") {
  for (const bool nearer_first : {true, false}) {
    TriangleMesh mesh;
    add_triangle(mesh, nearer_first ? 1 : -1);
    add_triangle(mesh, nearer_first ? -1 : 1);
    const std::vector<Colour> colours =
        nearer_first ? std::vector<Colour>{red, blue} : std::vector<Colour>{blue, red};
    const Image image = draw_mesh(mesh, colours, from_front);
    const Colour middle = image.at(20, 24);
    CHECK(middle[0] > 80);
    CHECK(middle[2] == 0);
    CHECK(image.at(1, 1) == Colour{255, 255, 255});
    // Seen from behind, the other one is nearer.
    const Image behind = draw_mesh(mesh, colours, {.azimuth = 3.141592653589793, .elevation = 0, .size = 40});
    CHECK(behind.at(20, 24)[2] > 80);
  }
}

TEST_CASE("borders between colours are darker than edges inside one", "[plot][mesh-view]") {
  TriangleMesh square{{{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}}, {{0, 1, 2}, {0, 2, 3}}};
  const MeshView view{.azimuth = 0, .elevation = 0, .size = 60};
  const Image one = draw_mesh(square, std::vector<Colour>{red, red}, view);
  const Image two = draw_mesh(square, std::vector<Colour>{red, blue}, view);
  // The diagonal runs through the middle.
  const auto brightness = [](const Colour& c) { return c[0] + c[1] + c[2]; };
  CHECK(brightness(two.at(30, 30)) < brightness(one.at(30, 30)));
  CHECK(brightness(one.at(30, 30)) < brightness(one.at(45, 40)));
  CHECK(one.at(45, 40)[0] > 0);
  CHECK(two.at(15, 20)[2] > 0);
  CHECK_THROWS_WITH(draw_mesh(square, std::vector<Colour>{red}, view),
                    "mesh view: 1 colours for 2 faces; expected one each");
  CHECK(draw_mesh({}, {}, from_front).at(20, 20) == Colour{255, 255, 255});
}

TEST_CASE("pictures of a run are read back, and the page holds them", "[plot][mesh-view][report]") {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch / "pictures");
  write_file_atomically(scratch / "pictures" / "a.png", png_bytes(Image(8, 4)));
  write_picture_list(scratch / "pictures", "trial", {{"a.png", "A <mesh>.", {"parts", "pool & more"}}});
  CHECK(read_pictures(scratch / "nowhere").empty());
  const std::vector<RunPicture> pictures = read_pictures(scratch.path());
  REQUIRE(pictures.size() == 1);
  CHECK(pictures[0].caption == "A <mesh>.");
  const std::string svg = picture_svg(scratch.path(), pictures[0]);
  CHECK_THAT(svg, Contains("width=\"8\" height=\"30\"") && Contains("pool &amp; more") &&
                      Contains("data:image/png;base64,iVBORw0KGgo"));
}

TEST_CASE("broken lists of pictures say where", "[plot][mesh-view][errors]") {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch / "pictures");
  const auto list = [&](const std::string& text) {
    write_file_atomically(scratch / "pictures" / "t.json", text);
    return scratch.path();
  };
  CHECK_THROWS_WITH(read_pictures(list("{}")), Contains("t.json: not a list; expected pictures"));
  CHECK_THROWS_WITH(read_pictures(list("[{\"caption\": \"\", \"columns\": []}]")),
                    Contains("t.json: 'file' is missing; expected text"));
  CHECK_THROWS_WITH(read_pictures(list("[{\"file\": \"../a.png\", \"caption\": \"\", \"columns\": []}]")),
                    Contains("'file' is ../a.png; expected a name without folder"));
  CHECK_THROWS_WITH(read_pictures(list("[{\"file\": \"a.png\", \"caption\": \"\"}]")),
                    Contains("'columns' is no list; expected titles"));
}
