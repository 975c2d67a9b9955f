#include "tarn/datasets/idx_files.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <zlib.h>

#include <string>

using namespace tarn;

namespace {

std::string header(unsigned char type, const std::vector<int>& shape) {
  std::string text{'\0', '\0', static_cast<char>(type), static_cast<char>(shape.size())};
  for (const int extent : shape) {
    for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(extent >> shift & 255);
  }
  return text;
}

std::string ramp(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += static_cast<char>(i % 256);
  return text;
}

void write_packed(const std::filesystem::path& path, const std::string& text) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
}

}  // namespace

TEST_CASE("IDX files are read plain and packed", "[datasets][idx]") {
  const ScratchDirectory scratch;
  const std::string text = header(8, {3, 2, 300}) + ramp(1800);
  write_file_atomically(scratch / "plain", text);
  write_packed(scratch / "packed.gz", text);
  for (const char* name : {"plain", "packed.gz"}) {
    const IdxBytes bytes = read_idx(scratch / name);
    CHECK(bytes.shape == std::vector<Size>{3, 2, 300});
    REQUIRE(bytes.values.size() == 1800);
    CHECK(bytes.values[255] == 255);
    CHECK(bytes.values[256] == 0);
  }
}

TEST_CASE("images come with their labels", "[datasets][idx]") {
  const ScratchDirectory scratch;
  write_packed(scratch / "t10k-images-idx3-ubyte.gz", header(8, {3, 2, 4}) + ramp(24));
  write_file_atomically(scratch / "t10k-labels-idx1-ubyte", header(8, {3}) + std::string{7, 2, 1});
  const LabelledImages images = read_labelled_images(scratch.path(), "t10k");
  CHECK(images.count() == 3);
  CHECK(images.height == 2);
  CHECK(images.width == 4);
  CHECK(images.labels == std::vector<std::uint8_t>{7, 2, 1});
  CHECK(images.image(1)[0] == 8);
  CHECK(images.image(2).back() == 23);
}

TEST_CASE("what is no IDX file says what it is instead", "[datasets][idx][errors]") {
  const ScratchDirectory scratch;
  const auto check = [&](const std::string& text, const char* message) {
    write_file_atomically(scratch / "file", text);
    CHECK_THROWS_WITH(read_idx(scratch / "file"), Catch::Contains("file: ") && Catch::Contains(message));
  };
  check("", "does not begin as an IDX file does");
  check("PK\x03\x04", "does not begin as an IDX file does");
  check(header(0x0d, {1}) + "1234", "numbers of type 0x0d; expected unsigned bytes");
  check(header(8, {}), "rank of at least 1");
  check(header(8, {2, 3}).substr(0, 9), "9 bytes for a header of rank 2");
  check(header(8, {2, 3}) + ramp(5), "5 bytes behind the header; expected as many as [2, 3] says");
  check(header(8, {2, 3}) + ramp(7), "7 bytes behind the header");
  check(header(8, {2147483647, 2147483647, 2147483647}) + ramp(7), "7 bytes behind the header");
  check("\x1f\x8b damaged", "expected gzip data");
  CHECK_THROWS_AS(read_idx(scratch / "nothing"), IoError);
}

TEST_CASE("images and labels that do not belong together are refused", "[datasets][idx][errors]") {
  const ScratchDirectory scratch;
  CHECK_THROWS_WITH(read_labelled_images(scratch.path(), "train"),
                    Catch::Contains("no file train-images-idx3-ubyte there"));
  write_file_atomically(scratch / "train-images-idx3-ubyte", header(8, {2, 1, 1}) + ramp(2));
  CHECK_THROWS_WITH(read_labelled_images(scratch.path(), "train"),
                    Catch::Contains("no file train-labels-idx1-ubyte there"));
  write_file_atomically(scratch / "train-labels-idx1-ubyte", header(8, {3}) + ramp(3));
  CHECK_THROWS_WITH(read_labelled_images(scratch.path(), "train"), Catch::Contains("2 images with 3 labels"));
  write_file_atomically(scratch / "train-labels-idx1-ubyte", header(8, {2, 1}) + ramp(2));
  CHECK_THROWS_WITH(read_labelled_images(scratch.path(), "train"),
                    Catch::Contains("holds 2 dimensions; expected 1 for labels"));
}
