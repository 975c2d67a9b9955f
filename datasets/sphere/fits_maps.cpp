#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/sphere/sky_maps.hpp"

#include <fitsio.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <optional>

namespace tarn {

namespace {

namespace fs = std::filesystem;
using healpix::Ordering;

constexpr double unseen = -1.6375e30;
constexpr const char* target_name = "TGTNAM";  // TGTNAM1, TGTVAL1, ...
constexpr const char* target_value = "TGTVAL";

std::size_t at(Size i) {
  return static_cast<std::size_t>(i);
}

std::string message_of(int status) {
  std::array<char, FLEN_STATUS> text{};
  fits_get_errstatus(status, text.data());
  return text.data();
}

bool is_missing(double v) {
  return !std::isfinite(v) || std::abs(v - unseen) <= 1e-5 * std::abs(unseen);
}

/// An open FITS file, which closes itself. Errors name the file and the table.
class FitsFile {
 public:
  /// Opens for reading.
  explicit FitsFile(const fs::path& path) : name_(path.string()) {
    int status = 0;
    if (fits_open_diskfile(&file_, path.c_str(), READONLY, &status) != 0) {
      fits_clear_errmsg();
      throw IoError(fmt::format("{}: cannot be opened: {}; expected a FITS file", name_, message_of(status)));
    }
  }
  /// A new file; `name` is how messages call it.
  FitsFile(const fs::path& temporary, std::string name) : name_(std::move(name)) {
    int status = 0;
    fits_create_diskfile(&file_, temporary.c_str(), &status);
    check_written(status);
  }
  ~FitsFile() {
    int status = 0;
    if (file_ != nullptr) fits_close_file(file_, &status);
    fits_clear_errmsg();
  }
  FitsFile(const FitsFile&) = delete;
  FitsFile& operator=(const FitsFile&) = delete;

  [[nodiscard]] fitsfile* get() const { return file_; }
  void close() {
    int status = 0;
    fits_close_file(std::exchange(file_, nullptr), &status);
    check_written(status);
  }

  /// "FILE[1]", as FITS numbers tables from the header on.
  [[nodiscard]] std::string where() const {
    int number = 1;
    fits_get_hdu_num(file_, &number);
    return fmt::format("{}[{}]", name_, number - 1);
  }
  void check(int status) const {
    if (status == 0) return;
    fits_clear_errmsg();
    throw DataError(
        fmt::format("{}: cannot be read: {}; expected a HEALPix map", where(), message_of(status)));
  }
  void check_written(int status) const {
    if (status == 0) return;
    fits_clear_errmsg();
    throw_write_error(name_, message_of(status));
  }

  // === Keywords of the present table
  [[nodiscard]] std::optional<std::string> text(const char* key) const {
    std::array<char, FLEN_VALUE> value{};
    int status = 0;
    if (fits_read_key(file_, TSTRING, key, value.data(), nullptr, &status) != 0) return missing_key();
    return std::string(value.data());
  }
  [[nodiscard]] std::optional<Size> whole_number(const char* key) const {
    LONGLONG value = 0;
    int status = 0;
    if (fits_read_key_lnglng(file_, key, &value, nullptr, &status) != 0) return missing_key();
    return static_cast<Size>(value);
  }

 private:
  static std::nullopt_t missing_key() {
    fits_clear_errmsg();
    return std::nullopt;
  }

  std::string name_;
  fitsfile* file_ = nullptr;
};

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

/// One table: full maps or a list of pixels, column by column.
struct FitsTable {
  healpix::Grid grid{1};
  Ordering ordering = Ordering::ring;
  std::vector<Size> pixels;  ///< of an explicit list, as they stand; empty: all
  std::vector<std::string> names, units;
  std::vector<std::vector<double>> columns;
  std::vector<std::string> targets;
  std::vector<double> target_values;
};

bool is_healpix_table(const FitsFile& file) {
  int type = 0, status = 0;
  fits_get_hdu_type(file.get(), &type, &status);
  if (status != 0 || type != BINARY_TBL) return false;
  return upper(file.text("PIXTYPE").value_or("")) == "HEALPIX" || file.whole_number("NSIDE").has_value();
}

struct ColumnPlace {
  std::string name, unit;
  int number = 0;
  LONGLONG count = 0;
};

ColumnPlace column_place(const FitsFile& file, int number, LONGLONG rows) {
  ColumnPlace place{.number = number};
  std::array<char, FLEN_VALUE> name{}, unit{};
  LONGLONG repeat = 0;
  int status = 0, type = 0;
  fits_get_bcolparmsll(file.get(), number, name.data(), unit.data(), nullptr, &repeat, nullptr, nullptr,
                       nullptr, nullptr, &status);
  fits_get_coltypell(file.get(), number, &type, &repeat, nullptr, &status);
  file.check(status);
  place.name = name.data()[0] == '\0' ? fmt::format("column {}", number) : name.data();
  place.unit = unit.data();
  place.count = repeat * rows;
  if (type == TSTRING || type == TLOGICAL || type == TBIT || type == TCOMPLEX || type == TDBLCOMPLEX ||
      type < 0) {
    throw DataError(fmt::format("{}: column {} holds no plain numbers; expected one number per pixel",
                                file.where(), place.name));
  }
  return place;
}

std::vector<double> read_column(const FitsFile& file, const ColumnPlace& place, Size expected,
                                const char* what) {
  if (place.count != expected) {
    throw DataError(fmt::format("{}: column {} has {} numbers; expected {}, {}", file.where(), place.name,
                                place.count, expected, what));
  }
  std::vector<double> values(at(place.count));
  double none = std::numeric_limits<double>::quiet_NaN();
  int status = 0, nulls = 0;
  fits_read_col(file.get(), TDOUBLE, place.number, 1, 1, place.count, &none, values.data(), &nulls, &status);
  file.check(status);
  return values;
}

std::vector<Size> read_pixels(const FitsFile& file, const ColumnPlace& place, const healpix::Grid& grid) {
  std::vector<LONGLONG> numbers(at(place.count));
  int status = 0, nulls = 0;
  fits_read_col(file.get(), TLONGLONG, place.number, 1, 1, place.count, nullptr, numbers.data(), &nulls,
                &status);
  file.check(status);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] >= 0 && numbers[i] < grid.num_pixels()) continue;
    throw DataError(fmt::format("{}: column {}, row {}: pixel {}; expected 0 to {}", file.where(), place.name,
                                i + 1, numbers[i], grid.num_pixels() - 1));
  }
  return {numbers.begin(), numbers.end()};
}

void read_targets(const FitsFile& file, FitsTable& table) {
  for (Size t = 1;; ++t) {
    const std::optional<std::string> name = file.text(fmt::format("{}{}", target_name, t).c_str());
    if (!name) return;
    double value = 0;
    int status = 0;
    fits_read_key(file.get(), TDOUBLE, fmt::format("{}{}", target_value, t).c_str(), &value, nullptr,
                  &status);
    file.check(status);
    table.targets.push_back(*name);
    table.target_values.push_back(value);
  }
}

FitsTable read_table(const FitsFile& file) {
  FitsTable table;
  const std::optional<Size> nside = file.whole_number("NSIDE");
  if (!nside)
    throw DataError(fmt::format("{}: has no NSIDE; expected the resolution of a HEALPix map", file.where()));
  try {
    table.grid = healpix::Grid(*nside, file.where());
  } catch (const ValueError& error) {
    throw DataError(error.what());
  }
  const std::string ordering = upper(file.text("ORDERING").value_or("nothing"));
  if (ordering != "RING" && !ordering.starts_with("NEST")) {
    throw DataError(fmt::format("{}: ORDERING is {}; expected RING or NESTED", file.where(), ordering));
  }
  table.ordering = ordering == "RING" ? Ordering::ring : Ordering::nest;
  const bool listed = upper(file.text("INDXSCHM").value_or("IMPLICIT")) == "EXPLICIT";
  int columns = 0, status = 0;
  LONGLONG rows = 0;
  fits_get_num_cols(file.get(), &columns, &status);
  fits_get_num_rowsll(file.get(), &rows, &status);
  file.check(status);
  if (columns < (listed ? 2 : 1)) {
    throw DataError(fmt::format("{}: has {} columns; expected {}", file.where(), columns,
                                listed ? "pixels and a channel" : "a channel"));
  }
  Size count = table.grid.num_pixels();
  if (listed) {
    const ColumnPlace place = column_place(file, 1, rows);
    table.pixels = read_pixels(file, place, table.grid);
    count = static_cast<Size>(table.pixels.size());
  }
  for (int c = listed ? 2 : 1; c <= columns; ++c) {
    const ColumnPlace place = column_place(file, c, rows);
    table.names.push_back(place.name);
    table.units.push_back(place.unit);
    table.columns.push_back(
        read_column(file, place, count, listed ? "one for each pixel listed" : "12 NSIDE^2"));
  }
  read_targets(file, table);
  return table;
}

/// Rows of a table by pixel: ascending pixels, and the row of each.
struct RowsOfPixels {
  std::vector<Size> pixels, rows;
};

RowsOfPixels rows_of(const FitsTable& table, const std::string& where) {
  RowsOfPixels result;
  result.rows.resize(table.columns.front().size());
  std::iota(result.rows.begin(), result.rows.end(), Size{0});
  if (table.pixels.empty()) {
    result.pixels = result.rows;
    return result;
  }
  std::sort(result.rows.begin(), result.rows.end(),
            [&](Size a, Size b) { return table.pixels[at(a)] < table.pixels[at(b)]; });
  for (const Size row : result.rows) {
    const Size pixel = table.pixels[at(row)];
    if (!result.pixels.empty() && result.pixels.back() == pixel)
      throw DataError(fmt::format("{}: pixel {} is listed twice; expected every pixel once", where, pixel));
    result.pixels.push_back(pixel);
  }
  return result;
}

void require_together(const FitsTable& first, const FitsTable& table, const std::string& where) {
  const bool together = first.grid == table.grid && first.ordering == table.ordering &&
                        first.names == table.names && first.targets == table.targets &&
                        first.pixels == table.pixels;
  if (together) return;
  throw DataError(
      fmt::format("{}: differs in NSIDE, ORDERING, pixels, columns or targets from the first map; expected "
                  "maps that go together",
                  where));
}

void write_table(const FitsFile& file, const SkyMaps& maps, Size map) {
  const healpix::Sky& sky = maps.sky;
  const Size channels = maps.num_channels(), pixels = sky.size();
  std::vector<std::string> names, formats, units;
  if (!sky.full()) {
    names.emplace_back("PIXEL");
    formats.emplace_back("1K");
    units.emplace_back();
  }
  for (Size c = 0; c < channels; ++c) {
    names.push_back(maps.channels[at(c)]);
    formats.emplace_back("1D");
    units.push_back(maps.units[at(c)]);
  }
  const auto pointers = [](std::vector<std::string>& list) {
    std::vector<char*> result;
    for (std::string& text : list) result.push_back(text.data());
    return result;
  };
  int status = 0;
  fits_create_tbl(file.get(), BINARY_TBL, pixels, static_cast<int>(names.size()), pointers(names).data(),
                  pointers(formats).data(), pointers(units).data(), nullptr, &status);
  const auto text = [&](const char* key, std::string value, const char* comment) {
    fits_update_key(file.get(), TSTRING, key, value.data(), comment, &status);
  };
  const auto number = [&](const char* key, Size value, const char* comment) {
    auto wide = static_cast<LONGLONG>(value);
    fits_update_key(file.get(), TLONGLONG, key, &wide, comment, &status);
  };
  text("PIXTYPE", "HEALPIX", "HEALPix pixelisation");
  text("ORDERING", sky.ordering() == Ordering::nest ? "NESTED" : "RING", "pixel ordering");
  number("NSIDE", sky.grid().nside(), "resolution");
  text("INDXSCHM", sky.full() ? "IMPLICIT" : "EXPLICIT", "pixels by place or by number");
  text("OBJECT", sky.full() ? "FULLSKY" : "PARTIAL", "part of the sky");
  number("FIRSTPIX", 0, "first pixel");
  number("LASTPIX", sky.grid().num_pixels() - 1, "last pixel");
  for (Size t = 0; t < maps.num_targets(); ++t) {
    double value = maps.target_values[at(map * maps.num_targets() + t)];
    text(fmt::format("{}{}", target_name, t + 1).c_str(), maps.targets[at(t)], "number known of the map");
    fits_update_key(file.get(), TDOUBLE, fmt::format("{}{}", target_value, t + 1).c_str(), &value, nullptr,
                    &status);
  }
  if (!sky.full()) {
    std::vector<LONGLONG> list;
    for (Size row = 0; row < pixels; ++row) list.push_back(sky.pixel(row));
    fits_write_col(file.get(), TLONGLONG, 1, 1, 1, pixels, list.data(), &status);
  }
  std::vector<double> column(at(pixels));
  for (Size c = 0; c < channels; ++c) {
    for (Size row = 0; row < pixels; ++row)
      column[at(row)] = maps.values[at((map * pixels + row) * channels + c)];
    fits_write_col(file.get(), TDOUBLE, static_cast<int>(c) + (sky.full() ? 1 : 2), 1, 1, pixels,
                   column.data(), &status);
  }
  file.check_written(status);
}

}  // namespace

SkyMaps read_fits_maps(const fs::path& path) {
  const FitsFile file(path);
  int tables = 0, status = 0;
  fits_get_num_hdus(file.get(), &tables, &status);
  file.check(status);
  std::vector<FitsTable> found;
  std::string first_place;
  for (int hdu = 1; hdu <= tables; ++hdu) {
    fits_movabs_hdu(file.get(), hdu, nullptr, &status);
    file.check(status);
    if (!is_healpix_table(file)) continue;
    found.push_back(read_table(file));
    if (found.size() == 1) first_place = file.where();
    require_together(found.front(), found.back(), file.where());
  }
  if (found.empty()) {
    throw DataError(
        fmt::format("{}: none of its {} parts is a binary table with NSIDE; expected a HEALPix map",
                    path.string(), tables));
  }
  const FitsTable& first = found.front();
  const RowsOfPixels rows = rows_of(first, first_place);
  std::vector<Size> kept_pixels, kept_rows;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const bool seen = std::all_of(found.begin(), found.end(), [&](const FitsTable& table) {
      return std::none_of(table.columns.begin(), table.columns.end(), [&](const std::vector<double>& column) {
        return is_missing(column[at(rows.rows[i])]);
      });
    });
    if (!seen) continue;
    kept_pixels.push_back(rows.pixels[i]);
    kept_rows.push_back(rows.rows[i]);
  }
  const bool full = static_cast<Size>(kept_pixels.size()) == first.grid.num_pixels();
  SkyMaps maps{.sky = full ? healpix::Sky(first.grid, first.ordering)
                           : healpix::Sky(first.grid, first.ordering, std::move(kept_pixels)),
               .channels = first.names,
               .units = first.units,
               .values = {},
               .targets = first.targets,
               .target_values = {}};
  for (const FitsTable& table : found) {
    for (const Size row : kept_rows) {
      for (const std::vector<double>& column : table.columns) maps.values.push_back(column[at(row)]);
    }
    maps.target_values.insert(maps.target_values.end(), table.target_values.begin(),
                              table.target_values.end());
  }
  return maps;
}

void write_fits_maps(const fs::path& path, const SkyMaps& maps) {
  replace_file(path, [&](const fs::path& temporary) {
    std::error_code none;
    fs::remove(temporary, none);  // left by a process that died
    FitsFile file(temporary, path.string());
    for (Size map = 0; map < maps.num_maps(); ++map) write_table(file, maps, map);
    file.close();
  });
}

bool is_fits_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 6> start{};
  return file.read(start.data(), start.size()) && std::string_view(start.data(), start.size()) == "SIMPLE";
}

}  // namespace tarn
