#include "tarn/datasets/sphere/sky_maps.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/core/rng.hpp"

#include "scratch_directory.hpp"
#include <catch2/catch.hpp>
#include <fitsio.h>

#include <cmath>
#include <numeric>

using namespace tarn;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;
using healpix::Grid;
using healpix::Ordering;
using healpix::Sky;

SkyMaps random_maps(const Sky& sky, Size maps, Size channels) {
  SkyMaps set{
      .sky = sky, .channels = {}, .units = {}, .values = {}, .targets = {"l_p", "tau"}, .target_values = {}};
  for (Size c = 0; c < channels; ++c) {
    set.channels.push_back(std::string(1, "TQU"[c]));
    set.units.push_back(c == 0 ? "K_CMB" : "");
  }
  for (Size i = 0; i < maps * sky.size() * channels; ++i)
    set.values.push_back(Rng(1).normal(static_cast<std::uint64_t>(i)));
  for (Size i = 0; i < maps * 2; ++i) set.target_values.push_back(1.5 * static_cast<double>(i) - 0.1);
  return set;
}

void check_same(const SkyMaps& a, const SkyMaps& b) {
  CHECK(a.sky.grid() == b.sky.grid());
  CHECK(a.sky.ordering() == b.sky.ordering());
  CHECK(a.sky.full() == b.sky.full());
  CHECK(a.sky.pixels() == b.sky.pixels());
  CHECK(a.channels == b.channels);
  CHECK(a.units == b.units);
  CHECK(a.values == b.values);
  CHECK(a.targets == b.targets);
  CHECK(a.target_values == b.target_values);
}

/// A column of a table that a test writes as it likes.
struct Column {
  std::string name, format;
  std::vector<double> values;
};

/// A FITS file with a table of these columns and keywords; a keyword's value in quotes is text.
void write_table(const fs::path& path, std::vector<Column> columns,
                 const std::vector<std::pair<std::string, std::string>>& keywords) {
  fitsfile* file = nullptr;
  int status = 0;
  fs::remove(path);
  fits_create_diskfile(&file, path.c_str(), &status);
  std::vector<char*> names, formats;
  for (Column& c : columns) {
    names.push_back(c.name.data());
    formats.push_back(c.format.data());
  }
  fits_create_tbl(file, BINARY_TBL, 0, static_cast<int>(columns.size()), names.data(), formats.data(),
                  nullptr, nullptr, &status);
  for (const auto& [key, value] : keywords) {
    if (value.front() == '\'') {
      std::string text = value.substr(1, value.size() - 2);
      fits_update_key(file, TSTRING, key.c_str(), text.data(), nullptr, &status);
    } else {
      auto number = static_cast<LONGLONG>(std::stoll(value));
      fits_update_key(file, TLONGLONG, key.c_str(), &number, nullptr, &status);
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].format.back() == 'A') continue;
    fits_write_col(file, TDOUBLE, static_cast<int>(c) + 1, 1, 1,
                   static_cast<LONGLONG>(columns[c].values.size()), columns[c].values.data(), &status);
  }
  fits_close_file(file, &status);
  REQUIRE(status == 0);
}

std::vector<double> ramp(Size count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

using Keywords = std::vector<std::pair<std::string, std::string>>;
const Keywords nside_1 = {{"PIXTYPE", "'HEALPIX'"}, {"ORDERING", "'RING'"}, {"NSIDE", "1"}};

}  // namespace

TEST_CASE("maps go to a store and to FITS and back without loss", "[datasets][sky]") {
  const ScratchDirectory scratch;
  const std::vector<Sky> skies = {Sky(Grid(4)), Sky(Grid(2), Ordering::ring),
                                  Sky(Grid(4), Ordering::nest, {3, 17, 90, 191})};
  for (const Sky& sky : skies) {
    for (const Size maps : {1, 3}) {
      const SkyMaps set = random_maps(sky, maps, 3);
      write_sky_store(scratch / "maps.h5", set);
      CHECK(is_sky_store(scratch / "maps.h5"));
      check_same(read_sky_store(scratch / "maps.h5"), set);
      write_fits_maps(scratch / "maps [1] (x).fits", set);
      CHECK(is_fits_file(scratch / "maps [1] (x).fits"));
      check_same(read_fits_maps(scratch / "maps [1] (x).fits"), set);
    }
  }
  CHECK_FALSE(is_sky_store(scratch / "maps [1] (x).fits"));
  CHECK_FALSE(is_fits_file(scratch / "maps.h5"));
  CHECK_FALSE(is_fits_file(scratch / "none"));
}

TEST_CASE("a store takes as few bits as lose nothing", "[datasets][sky]") {
  const ScratchDirectory scratch;
  SkyMaps set = random_maps(Sky(Grid(2)), 2, 1);
  write_sky_store(scratch / "wide.h5", set);
  for (double& v : set.values) v = static_cast<double>(static_cast<float>(v));
  write_sky_store(scratch / "narrow.h5", set);
  CHECK(h5::File::open(scratch / "wide.h5").dataset("maps").type() == h5::Type::f64);
  CHECK(h5::File::open(scratch / "narrow.h5").dataset("maps").type() == h5::Type::f32);
  check_same(read_sky_store(scratch / "narrow.h5"), set);
}

TEST_CASE("tables as other programs write them are read", "[datasets][sky]") {
  const ScratchDirectory scratch;
  const fs::path path = scratch / "map.fits";
  // Rows of many pixels, single precision, a missing PIXTYPE, a name of NESTED cut short.
  write_table(path, {{"TEMPERATURE", "4E", ramp(48)}}, {{"ORDERING", "'NEST'"}, {"NSIDE", "2"}});
  SkyMaps maps = read_fits_maps(path);
  CHECK(maps.sky.full());
  CHECK(maps.sky.ordering() == Ordering::nest);
  CHECK(maps.channels == std::vector<std::string>{"TEMPERATURE"});
  CHECK(maps.values == ramp(48));
  // Whole numbers; a list in any order.
  Keywords listed = nside_1;
  listed.emplace_back("INDXSCHM", "'EXPLICIT'");
  write_table(path, {{"PIXEL", "1J", {7, 2, 11}}, {"HITS", "1J", {70, 20, 110}}, {"T", "1E", {0.5, 0.25, 2}}},
              listed);
  maps = read_fits_maps(path);
  CHECK(maps.sky.pixels() == std::vector<Size>{2, 7, 11});
  CHECK(maps.values == std::vector<double>{20, 0.25, 70, 0.5, 110, 2});
}

TEST_CASE("pixels that were not observed leave the sky", "[datasets][sky]") {
  const ScratchDirectory scratch;
  std::vector<double> t = ramp(12), q = ramp(12);
  t[3] = -1.6375e30;
  q[5] = std::nan("");
  q[6] = INFINITY;
  write_table(scratch / "map.fits", {{"T", "1E", t}, {"Q", "1D", q}}, nside_1);
  const SkyMaps maps = read_fits_maps(scratch / "map.fits");
  CHECK(maps.sky.pixels() == std::vector<Size>{0, 1, 2, 4, 7, 8, 9, 10, 11});
  CHECK(maps.values.size() == 18);
  CHECK(maps.values[6] == 4);
  std::fill(t.begin(), t.end(), -1.6375e30);
  write_table(scratch / "map.fits", {{"T", "1E", t}}, nside_1);
  const SkyMaps none = read_fits_maps(scratch / "map.fits");
  CHECK(none.sky.size() == 0);
  CHECK(none.num_maps() == 0);
  CHECK_THAT(describe_sky_maps(none), Contains("pixels       0 of 12") && Contains("channel      T: none"));
}

TEST_CASE("FITS files that hold no map say why", "[datasets][sky][errors]") {
  const ScratchDirectory scratch;
  const fs::path path = scratch / "map.fits";
  const auto refuses = [&](const std::vector<Column>& columns, Keywords keywords, const char* message) {
    write_table(path, columns, keywords);
    CHECK_THROWS_WITH(read_fits_maps(path), Contains(message));
    CHECK_THROWS_AS(read_fits_maps(path), DataError);
  };
  const auto with = [](std::string key, std::string value) {
    Keywords all = nside_1;
    std::erase_if(all, [&](const auto& entry) { return entry.first == key; });
    if (!value.empty()) all.emplace_back(key, value);
    return all;
  };
  refuses({{"T", "1E", ramp(12)}}, {},
          "none of its 2 parts is a binary table with NSIDE; expected a HEALPix map");
  refuses({{"T", "1E", ramp(12)}}, with("NSIDE", ""), "map.fits[1]: has no NSIDE");
  refuses({{"T", "1E", ramp(12)}}, with("NSIDE", "12"), "map.fits[1]: nside 12; expected a power of two");
  refuses({{"T", "1E", ramp(12)}}, with("ORDERING", ""),
          "map.fits[1]: ORDERING is NOTHING; expected RING or NESTED");
  refuses({{"T", "1E", ramp(12)}}, with("ORDERING", "'SPIRAL'"), "map.fits[1]: ORDERING is SPIRAL");
  refuses({{"T", "1E", ramp(12)}}, with("NSIDE", "2"),
          "map.fits[1]: column T has 12 numbers; expected 48, 12 NSIDE^2");
  refuses({{"T", "1E", ramp(12)}, {"NAME", "8A", {}}}, nside_1,
          "map.fits[1]: column NAME holds no plain numbers");
  refuses({{"PIXEL", "1J", ramp(12)}}, with("INDXSCHM", "'EXPLICIT'"),
          "map.fits[1]: has 1 columns; expected pixels and");
  refuses({{"PIXEL", "1J", {0, 12}}, {"T", "1E", {1, 2}}}, with("INDXSCHM", "'EXPLICIT'"),
          "map.fits[1]: column PIXEL, row 2: pixel 12; expected 0 to 11");
  refuses({{"PIXEL", "1J", {4, 1, 4}}, {"T", "1E", {1, 2, 3}}}, with("INDXSCHM", "'EXPLICIT'"),
          "map.fits[1]: pixel 4 is listed twice");
  CHECK_THROWS_AS(read_fits_maps(scratch / "missing.fits"), IoError);
  write_file_atomically(path, "SIMPLE, but no more");
  CHECK_THROWS_WITH(read_fits_maps(path),
                    Contains("map.fits: cannot be opened: ") && Contains("expected a FITS file"));
  // Cut short.
  write_fits_maps(path, random_maps(Sky(Grid(16)), 1, 1));
  fs::resize_file(path, fs::file_size(path) / 2);
  CHECK_THROWS_AS(read_fits_maps(path), Error);
}

TEST_CASE("FITS tables of different skies do not make a set", "[datasets][sky][errors]") {
  const ScratchDirectory scratch;
  write_fits_maps(scratch / "maps.fits", random_maps(Sky(Grid(1)), 2, 2));
  fitsfile* file = nullptr;
  int status = 0;
  fits_open_diskfile(&file, (scratch / "maps.fits").c_str(), READWRITE, &status);
  fits_movabs_hdu(file, 3, nullptr, &status);
  std::string nested = "NESTED", ring = "RING";
  fits_update_key(file, TSTRING, "ORDERING", ring.data(), nullptr, &status);
  fits_close_file(file, &status);
  REQUIRE(status == 0);
  CHECK_THROWS_WITH(read_fits_maps(scratch / "maps.fits"),
                    Contains("maps.fits[2]: differs in NSIDE, ORDERING"));
}

TEST_CASE("a map that cannot be written leaves no file", "[datasets][sky][errors]") {
  const ScratchDirectory scratch;
  const SkyMaps set = random_maps(Sky(Grid(1)), 1, 1);
  CHECK_THROWS_AS(write_fits_maps(scratch / "nowhere/map.fits", set), IoError);
  CHECK_THROWS_WITH(write_fits_maps(scratch / "nowhere/map.fits", set),
                    Contains("nowhere/map.fits: cannot be written"));
  CHECK_FALSE(fs::exists(scratch / "nowhere"));
}

TEST_CASE("damaged stores of maps name what is wrong", "[datasets][sky][errors]") {
  const ScratchDirectory scratch;
  const fs::path path = scratch / "maps.h5";
  const auto refuses = [&](const std::function<void(h5::File&)>& damage, const char* message) {
    write_sky_store(path, random_maps(Sky(Grid(2), Ordering::nest, {1, 5, 9}), 2, 2));
    {
      h5::File file = h5::File::open(path, h5::Access::update);
      damage(file);
    }
    CHECK_THROWS_WITH(read_sky_store(path), Contains(message));
  };
  refuses([](h5::File& f) { f.set_attribute("format", "other"); },
          "format is 'other'; expected tarn-sky-store");
  refuses([](h5::File& f) { f.set_attribute("version", Size{2}); }, "version is 2; expected 1");
  refuses([](h5::File& f) { f.set_attribute("nside", Size{3}); }, "nside 3; expected a power of two");
  refuses([](h5::File& f) { f.set_attribute("ordering", "spiral"); },
          "ordering is 'spiral'; expected nest or ring");
  refuses([](h5::File& f) { f.set_attribute("channels", std::vector<std::string>{}); }, "channels is empty");
  refuses([](h5::File& f) { f.set_attribute("units", std::vector<std::string>{"K"}); },
          "1 units; expected one for each of 2");
  refuses([](h5::File& f) { f.remove("maps"); }, "maps");
  refuses(
      [](h5::File& f) {
        f.remove("pixels");
        f.write("pixels", std::vector<Size>{1, 9, 5});
      },
      "pixels");
  refuses(
      [](h5::File& f) {
        f.remove("maps");
        f.write("maps", {2, 4, 2}, std::span<const double>(ramp(16)));
      },
      "/maps: shape [2, 4, 2]; expected [B, 3, 2]");
  refuses(
      [](h5::File& f) {
        f.remove("maps");
        std::vector<double> values = ramp(12);
        values[7] = std::nan("");
        f.write("maps", {2, 3, 2}, std::span<const double>(values));
      },
      "/maps: number 7 is nan; expected finite numbers");
  refuses(
      [](h5::File& f) {
        f.remove("target_values");
        f.write("target_values", {2, 1}, std::span<const double>(ramp(2)));
      },
      "/target_values: shape [2, 1]; expected [2, 2]");
}
