#include "tarn/core/h5.hpp"

#include "tarn/core/errors.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <limits>
#include <thread>

using namespace tarn;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;

namespace {

/// A folder that disappears with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / fmt::format("tarn_h5_test_{}", ::getpid())) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] fs::path operator/(const char* name) const { return path_ / name; }
  [[nodiscard]] Size num_files() const { return std::distance(fs::directory_iterator(path_), {}); }

 private:
  fs::path path_;
};

/// While it lives no file of this process grows past `bytes`: stands in for a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  void (*old_handler_)(int);
  rlimit old_{};
};

template <class T>
void check_round_trip(const std::string& name, const std::vector<T>& values) {
  const Folder folder;
  const fs::path path = folder / "numbers.h5";
  h5::write_atomically(path, [&](h5::File& file) { file.write("deep/er/" + name, values); });
  const h5::File file = h5::File::open(path);
  const h5::Dataset data = file.dataset("deep/er/" + name);
  CHECK(h5::type_name(data.type()) == name);
  CHECK(data.native_order());
  CHECK(data.read<T>() == values);
}

}  // namespace

TEST_CASE("every type of number comes back from an HDF5 file as it was written", "[core][h5]") {
  check_round_trip<std::int8_t>("int8", {-128, 0, 127});
  check_round_trip<std::uint8_t>("uint8", {0, 255});
  check_round_trip<std::int16_t>("int16", {-32768, 32767});
  check_round_trip<std::uint16_t>("uint16", {0, 65535});
  check_round_trip<std::int32_t>("int32", {std::numeric_limits<std::int32_t>::min(), 5});
  check_round_trip<std::uint32_t>("uint32", {4294967295U});
  check_round_trip<std::int64_t>("int64", {std::numeric_limits<std::int64_t>::min(), -1});
  check_round_trip<std::uint64_t>("uint64", {std::numeric_limits<std::uint64_t>::max()});
  check_round_trip<float>("float32", {1.5F, -0.1F});
  check_round_trip<double>("float64", {0.1, 1e300});
  check_round_trip<std::string>("string", {"", "plain", "Bergsee mit Grün und 湖"});
}

TEST_CASE("scalars, empty data sets and tensors keep their shape", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "shapes.h5";
  const std::vector<double> one{3.25}, none;
  h5::write_atomically(path, [&](h5::File& file) {
    file.write<double>("scalar", Shape{}, one);
    file.write<double>("empty", Shape{0, 4}, none);
    file.write("no_text", std::vector<std::string>{});
    h5::write_tensor(file, "tensor", Tensor(Shape{2, 1, 2}, std::vector<Real>{1, 2, 3, 4}));
  });
  const h5::File file = h5::File::open(path);
  CHECK(file.array<double>("scalar").shape == Shape{});
  CHECK(file.array<double>("scalar").values == one);
  CHECK(file.array<std::int64_t>("scalar").values == std::vector<std::int64_t>{3});
  CHECK(file.array<double>("empty").shape == Shape{0, 4});
  CHECK(file.array<double>("empty").values.empty());
  CHECK(file.dataset("no_text").read<std::string>().empty());
  const Tensor tensor = h5::read_tensor(file.dataset("tensor"));
  CHECK(tensor.shape() == Shape{2, 1, 2});
  CHECK(tensor.flat()[3] == 4);
  CHECK(file.children() == std::vector<std::string>{"empty", "no_text", "scalar", "tensor"});
}

TEST_CASE("attributes hold numbers, text and lists", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "attributes.h5";
  const std::vector<std::int64_t> layers{0, 6, 12};
  const std::vector<std::string> names{"no", "yes"};
  h5::write_atomically(path, [&](h5::File& file) {
    file.set_attribute<std::int32_t>("version", 2);
    file.set_attribute<std::int32_t>("version", 1);  // replaces
    file.set_attribute("model", "größer");
    file.set_attribute("rate", 0.5);
    file.set_attribute("layers", layers);
    file.set_attribute("names", names);
    file.set_attribute("none", std::span<const std::string>{});
    file.set_attribute("gone", "x");
    file.remove_attribute("gone");
  });
  const h5::File file = h5::File::open(path);
  CHECK(file.attribute<std::int64_t>("version") == 1);
  CHECK(file.attribute<std::string>("model") == "größer");
  CHECK(file.attribute<double>("rate") == 0.5);
  CHECK(file.attribute_list<std::int64_t>("layers") == layers);
  CHECK(file.attribute_list<std::string>("names") == names);
  CHECK(file.attribute_list<std::string>("none").empty());
  CHECK(file.attribute_names() ==
        std::vector<std::string>{"layers", "model", "names", "none", "rate", "version"});
  CHECK(file.attribute_type("model") == h5::Type::text);
  CHECK(!file.has_attribute("gone"));
  const std::string place = (folder / "attributes.h5").string() + ":/: attribute ";
  CHECK_THROWS_WITH(file.attribute<double>("gone"), place + "'gone' is missing; expected it to be there");
  CHECK_THROWS_WITH(file.attribute<double>("model"), place + "'model': holds string; expected numbers");
  CHECK_THROWS_WITH(file.attribute<std::string>("rate"), place + "'rate': holds float64; expected text");
  CHECK_THROWS_WITH(file.attribute<double>("layers"), place + "'layers': holds 3 values; expected one");
}

TEST_CASE("a chunked data set grows, is written and read in blocks, and shrinks", "[core][h5]") {
  const Folder folder;
  h5::File file = h5::File::create(folder / "blocks.h5");
  h5::Dataset data = file.create_dataset("x", h5::Type::f16, Shape{0, 3}, {.chunk = {4, 3}, .deflate = 1});
  const std::vector<float> block{1, 2, 3, 4, 5, 6};
  data.resize(7);
  data.write<float>({5, 0}, {2, 3}, block);
  CHECK(data.shape() == Shape{7, 3});
  CHECK(data.read<float>({6, 1}, {1, 2}) == std::vector<float>{5, 6});
  CHECK(data.read<double>({4, 0}, {1, 3}) == std::vector<double>{0, 0, 0});
  std::vector<std::uint16_t> raw(2);
  data.read_block(h5::Type::f16, {5, 0}, {1, 2}, std::as_writable_bytes(std::span(raw)));
  CHECK(raw == std::vector<std::uint16_t>{0x3c00, 0x4000});
  CHECK(data.chunk() == std::vector<Size>{4, 3});
  CHECK(data.filtered());
  CHECK(!data.contiguous_offset());
  data.resize(6);
  CHECK(data.shape() == Shape{6, 3});
  CHECK_THROWS_WITH(
      data.read<float>({5, 0}, {2, 3}),
      (folder / "blocks.h5").string() + ":/x: asked for [2, 3] from [5, 0]; expected a block inside [6, 3]");
  file.remove("x");
  CHECK(!file.has("x"));
}

TEST_CASE("places of contiguous data and of chunks lead to the stored bytes", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "places.h5";
  const std::vector<std::int32_t> values{10, 11, 12, 13, 14};
  h5::write_atomically(path, [&](h5::File& file) {
    file.write("flat", values);
    h5::Dataset chunked = file.create_dataset("chunked", h5::Type::i32, Shape{5}, {.chunk = {2}});
    chunked.write<std::int32_t>({0}, {4}, std::span(values).first(4));
  });
  const std::string bytes = read_file(path);
  const auto at = [&](Size offset) {
    std::int32_t value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  };
  const h5::File file = h5::File::open(path);
  CHECK(file.starts_at_zero());
  CHECK(at(file.dataset("flat").contiguous_offset().value() + 8) == 12);
  CHECK(at(file.dataset("chunked").chunk_offset({2}).value()) == 12);
  CHECK(!file.dataset("chunked").chunk_offset({4}));
}

TEST_CASE("what is missing or of another kind in an HDF5 file is named", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "kinds.h5";
  h5::write_atomically(path, [](h5::File& file) {
    file.write("group/numbers", std::vector<double>{1});
    file.write("words", std::vector<std::string>{"a"});
  });
  h5::File file = h5::File::open(path);
  const std::string place = path.string() + ":/";
  CHECK(file.kind("group") == h5::Kind::group);
  CHECK(file.kind("group/numbers") == h5::Kind::dataset);
  CHECK(file.kind("absent/numbers") == h5::Kind::none);
  CHECK_THROWS_WITH(file.dataset("group"), place + "group: is a group; expected a data set");
  CHECK_THROWS_WITH(file.group("words"), place + "words: is a data set; expected a group");
  CHECK_THROWS_WITH(file.group("group").dataset("x"), place + "group/x: is missing; expected a data set");
  CHECK_THROWS_WITH(file.dataset("words").read<double>(), place + "words: holds string; expected numbers");
  CHECK_THROWS_WITH(file.dataset("group/numbers").read<std::string>(),
                    place + "group/numbers: holds float64; expected text");
  CHECK_THROWS_AS(file.create_group("new"), DataError);  // open for reading only
}

TEST_CASE("files that are missing, not HDF5 or cut short say so", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "whole.h5";
  const auto open = [](const fs::path& p) { static_cast<void>(h5::File::open(p)); };
  CHECK_THROWS_AS(open(folder / "no.h5"), IoError);
  CHECK_THROWS_WITH(
      open(folder / "no.h5"),
      (folder / "no.h5").string() + ": cannot be opened: No such file or directory; expected a HDF5 file");
  CHECK_THROWS_WITH(open(fs::temp_directory_path()), Contains("cannot be opened: Is a directory"));

  write_file_atomically(path, "not HDF5 at all");
  CHECK_THROWS_AS(open(path), DataError);
  CHECK_THROWS_WITH(
      open(path),
      path.string() + ": cannot be opened: file signature not found; expected a HDF5 file, whole");

  const std::vector<double> numbers(10000, 1.0);
  h5::write_atomically(path, [&](h5::File& file) { file.write("x", numbers); });
  fs::resize_file(path, fs::file_size(path) / 2);
  CHECK_THROWS_AS(open(path), DataError);
  CHECK_THROWS_WITH(open(path), StartsWith(path.string() + ": cannot be opened: truncated file: eof = "));
}

TEST_CASE("a full disk leaves the old file and nothing else", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "full.h5";
  h5::write_atomically(path, [](h5::File& file) { file.set_attribute("old", "yes"); });
  const std::vector<double> numbers(100000, 1.0);
  const std::string message =
      path.string() + ": cannot be written: File too large; expected a writable folder with room";

  SECTION("when a contiguous data set is written") {
    const FileSizeLimit limit(65536);
    const auto write = [&](h5::File& file) { file.write("x", numbers); };
    CHECK_THROWS_AS(h5::write_atomically(path, write), IoError);
    CHECK_THROWS_WITH(h5::write_atomically(path, write),
                      Contains("full.h5:/x: cannot be written: File too large"));
  }
  SECTION("when cached chunks are flushed at the end") {
    const FileSizeLimit limit(65536);
    const auto write = [&](h5::File& file) {
      h5::Dataset data = file.create_dataset("x", h5::Type::f64, Shape{100000}, {.chunk = {1000}});
      data.write<double>({0}, {100000}, numbers);
    };
    CHECK_THROWS_AS(h5::write_atomically(path, write), IoError);
    CHECK_THROWS_WITH(h5::write_atomically(path, write), message);
  }
  SECTION("when cached chunks are lost as their data set closes and all later writes succeed") {
    const auto write = [&](h5::File& file) {
      const FileSizeLimit limit(4096);
      h5::Dataset data = file.create_dataset("x", h5::Type::f64, Shape{100000}, {.chunk = {1000}});
      data.write<double>({0}, {100}, std::span(numbers).first(100));
    };
    CHECK_THROWS_AS(h5::write_atomically(path, write), IoError);
    CHECK_THROWS_WITH(h5::write_atomically(path, write), message);
  }
  SECTION("when text is written") {
    const FileSizeLimit limit(65536);
    CHECK_THROWS_WITH(write_file_atomically(path, std::string(100000, 'x')), message);
  }
  SECTION("when the writer itself gives up") {
    const auto write = [](h5::File& file) {
      file.set_attribute("new", "yes");
      throw ValueError("enough");
    };
    CHECK_THROWS_WITH(h5::write_atomically(path, write), "enough");
  }
  CHECK(folder.num_files() == 1);
  CHECK(h5::File::open(path).attribute<std::string>("old") == "yes");
}

TEST_CASE("a folder that is missing refuses files with the system's message", "[core][h5]") {
  const Folder folder;
  const std::string tail =
      ": cannot be written: No such file or directory; expected a writable folder with room";
  CHECK_THROWS_WITH(write_file_atomically(folder / "no" / "x.txt", "x"), Contains(tail));
  CHECK_THROWS_WITH(h5::write_atomically(folder / "no" / "x.h5", [](h5::File&) {}), Contains(tail));
  CHECK_THROWS_WITH(read_file(folder / "x.txt"),
                    Contains("x.txt: cannot be read: No such file or directory"));
}

TEST_CASE("text files are replaced whole", "[core][h5]") {
  const Folder folder;
  write_file_atomically(folder / "a.txt", "first, and longer");
  write_file_atomically(folder / "a.txt", "second");
  CHECK(read_file(folder / "a.txt") == "second");
  CHECK(folder.num_files() == 1);
}

TEST_CASE("threads may read HDF5 files side by side", "[core][h5]") {
  const Folder folder;
  const fs::path path = folder / "shared.h5";
  std::vector<std::int64_t> values(5000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i * i);
  h5::write_atomically(path, [&](h5::File& file) { file.write("x", values); });
  std::array<bool, 4> same{};
  {
    std::vector<std::jthread> threads;
    for (bool& s : same) {
      threads.emplace_back([&s, &path, &values]() {
        s = true;
        for (int round = 0; round < 20; ++round) {
          const h5::File file = h5::File::open(path);
          s = s && file.dataset("x").read<std::int64_t>() == values && !file.has("y");
        }
      });
    }
  }
  CHECK(same == std::array<bool, 4>{true, true, true, true});
}
