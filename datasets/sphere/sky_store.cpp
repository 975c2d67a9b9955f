#include "tarn/core/errors.hpp"
#include "tarn/core/h5.hpp"
#include "tarn/datasets/sphere/sky_maps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tarn {

namespace {

namespace fs = std::filesystem;

constexpr const char* format_name = "tarn-sky-store";
constexpr Size newest_version = 1;

bool fits_float(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [](double v) { return static_cast<double>(static_cast<float>(v)) == v; });
}

healpix::Sky read_sky(const h5::File& file) {
  const auto nside = file.attribute<Size>("nside");
  const auto name = file.attribute<std::string>("ordering");
  if (name != "nest" && name != "ring") refuse(file, "ordering is '" + name + "'", "nest or ring");
  const healpix::Ordering ordering = name == "nest" ? healpix::Ordering::nest : healpix::Ordering::ring;
  try {
    const healpix::Grid grid(nside, file.where());
    if (!file.has("pixels")) return healpix::Sky(grid, ordering);
    const h5::Dataset pixels = file.dataset("pixels");
    return {grid, ordering, pixels.read<Size>(), pixels.where()};
  } catch (const ValueError& error) {
    throw DataError(error.what());
  }
}

/// Range, mean and deviation of every `step`-th number from `first` on.
std::string summary(const std::vector<double>& values, Size first, Size step) {
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0, squares = 0, count = 0;
  for (auto i = static_cast<std::size_t>(first); i < values.size(); i += static_cast<std::size_t>(step)) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
    sum += values[i];
    count += 1;
  }
  if (count == 0) return "none";
  const double mean = sum / count;
  for (auto i = static_cast<std::size_t>(first); i < values.size(); i += static_cast<std::size_t>(step))
    squares += (values[i] - mean) * (values[i] - mean);
  return fmt::format("{:.5g} to {:.5g}, mean {:.5g}, deviation {:.5g}", low, high, mean,
                     std::sqrt(squares / count));
}

}  // namespace

Size SkyMaps::num_maps() const {
  const Size numbers = sky.size() * num_channels();
  return numbers == 0 ? 0 : static_cast<Size>(values.size()) / numbers;
}

void write_sky_store(const fs::path& path, const SkyMaps& maps) {
  h5::write_atomically(path, [&](h5::File& file) {
    file.set_attribute("format", format_name);
    file.set_attribute("version", newest_version);
    file.set_attribute("nside", maps.sky.grid().nside());
    file.set_attribute("ordering", maps.sky.ordering() == healpix::Ordering::nest ? "nest" : "ring");
    file.set_attribute("channels", std::span(maps.channels));
    file.set_attribute("units", std::span(maps.units));
    file.set_attribute("targets", std::span(maps.targets));
    const Shape shape{maps.num_maps(), maps.sky.size(), maps.num_channels()};
    if (fits_float(maps.values)) {
      const std::vector<float> narrow(maps.values.begin(), maps.values.end());
      file.write("maps", shape, std::span(narrow));
    } else {
      file.write("maps", shape, std::span(maps.values));
    }
    if (!maps.sky.full()) file.write("pixels", maps.sky.pixels());
    if (maps.num_targets() > 0)
      file.write("target_values", {maps.num_maps(), maps.num_targets()}, std::span(maps.target_values));
  });
}

SkyMaps read_sky_store(const fs::path& path) {
  const h5::File file = h5::File::open(path);
  const auto format = file.attribute<std::string>("format");
  if (format != format_name) refuse(file, "format is '" + format + "'", format_name);
  const auto version = file.attribute<Size>("version");
  if (version != newest_version)
    refuse(file, fmt::format("version is {}", version), fmt::format("{}", newest_version));
  SkyMaps maps{.sky = read_sky(file),
               .channels = file.attribute_list<std::string>("channels"),
               .units = file.attribute_list<std::string>("units"),
               .values = {},
               .targets = file.attribute_list<std::string>("targets"),
               .target_values = {}};
  if (maps.channels.empty()) refuse(file, "channels is empty", "a name or more");
  if (maps.units.size() != maps.channels.size())
    refuse(file, fmt::format("{} units", maps.units.size()),
           fmt::format("one for each of {} channels", maps.num_channels()));
  const h5::Dataset data = file.dataset("maps");
  const Shape shape = data.shape();
  if (shape.rank() != 3 || shape[1] != maps.sky.size() || shape[2] != maps.num_channels()) {
    refuse(data, "shape " + shape.text(), fmt::format("[B, {}, {}]", maps.sky.size(), maps.num_channels()));
  }
  maps.values = data.read<double>();
  const auto bad =
      std::find_if(maps.values.begin(), maps.values.end(), [](double v) { return !std::isfinite(v); });
  if (bad != maps.values.end())
    refuse(data, fmt::format("number {} is {}", bad - maps.values.begin(), *bad), "finite numbers");
  if (maps.targets.empty()) return maps;
  const h5::Dataset targets = file.dataset("target_values");
  if (!(targets.shape() == Shape{shape[0], maps.num_targets()})) {
    refuse(targets, "shape " + targets.shape().text(), Shape{shape[0], maps.num_targets()}.text());
  }
  maps.target_values = targets.read<double>();
  return maps;
}

bool is_sky_store(const fs::path& path) {
  return h5::is_file_of(path, format_name);
}

std::string describe_sky_maps(const SkyMaps& maps) {
  const healpix::Sky& sky = maps.sky;
  std::string text = fmt::format(
      "  maps         {}\n  nside        {}, {} order\n  pixels       {} of {} ({:.4g} %)\n", maps.num_maps(),
      sky.grid().nside(), sky.ordering() == healpix::Ordering::nest ? "NEST" : "RING", sky.size(),
      sky.grid().num_pixels(), 100 * sky.fraction());
  for (Size c = 0; c < maps.num_channels(); ++c) {
    const auto i = static_cast<std::size_t>(c);
    const std::string unit = maps.units[i].empty() ? "" : fmt::format(" [{}]", maps.units[i]);
    text += fmt::format("  channel      {}{}: {}\n", maps.channels[i], unit,
                        summary(maps.values, c, maps.num_channels()));
  }
  for (Size t = 0; t < maps.num_targets(); ++t) {
    text += fmt::format("  target       {}: {}\n", maps.targets[static_cast<std::size_t>(t)],
                        summary(maps.target_values, t, maps.num_targets()));
  }
  return text;
}

}  // namespace tarn
