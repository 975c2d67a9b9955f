#include "tarn/datasets/mesh/mesh_file.hpp"

#include "tarn/core/errors.hpp"
#include "tarn/core/files.hpp"
#include "tarn/datasets/mesh/mesh_readers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace tarn {

namespace {

constexpr std::array<std::pair<std::string_view, MeshFormat>, 4> extensions{{{".obj", MeshFormat::obj},
                                                                             {".off", MeshFormat::off},
                                                                             {".ply", MeshFormat::ply},
                                                                             {".stl", MeshFormat::stl}}};

MeshFormat require_format(const std::filesystem::path& path) {
  const std::optional<MeshFormat> format = mesh_format_of(path);
  if (format) return *format;
  throw ConfigError(fmt::format("{}: has extension '{}'; expected .obj, .off, .ply or .stl", path.string(),
                                path.extension().string()));
}

using Out = std::back_insert_iterator<std::string>;

void write_vertices(Out out, const PolygonSoup& soup, std::string_view prefix) {
  for (const Vec3& v : soup.vertices) fmt::format_to(out, "{}{} {} {}\n", prefix, v.x, v.y, v.z);
}

std::string obj_text(const PolygonSoup& soup) {
  std::string text;
  write_vertices(std::back_inserter(text), soup, "v ");
  for (Size p = 0; p < soup.num_polygons(); ++p) {
    text += 'f';
    for (const NodeId v : soup.polygon(p)) fmt::format_to(std::back_inserter(text), " {}", v + 1);
    text += '\n';
  }
  return text;
}

void write_polygon(Out out, std::span<const NodeId> polygon) {
  fmt::format_to(out, "{}", polygon.size());
  for (const NodeId v : polygon) fmt::format_to(out, " {}", v);
}

std::string off_text(const PolygonSoup& soup) {
  std::string text = fmt::format("OFF\n{} {} 0\n", soup.vertices.size(), soup.num_polygons());
  write_vertices(std::back_inserter(text), soup, "");
  for (Size p = 0; p < soup.num_polygons(); ++p) {
    write_polygon(std::back_inserter(text), soup.polygon(p));
    text += '\n';
  }
  return text;
}

std::string ply_header(const PolygonSoup& soup, PlyEncoding encoding) {
  constexpr std::string_view colours = "property uchar red\nproperty uchar green\nproperty uchar blue\n";
  return fmt::format(
      "ply\nformat {} 1.0\nelement vertex {}\nproperty double x\nproperty double y\nproperty double z\n{}"
      "element face {}\nproperty list int int vertex_indices\n{}end_header\n",
      encoding == PlyEncoding::ascii ? "ascii" : "binary_little_endian", soup.vertices.size(),
      soup.vertex_colours.empty() ? "" : colours, soup.num_polygons(),
      soup.face_colours.empty() ? "" : colours);
}

void write_colour(Out out, const Colour& c) {
  fmt::format_to(out, " {} {} {}", c[0], c[1], c[2]);
}

std::string ply_ascii(const PolygonSoup& soup) {
  std::string text = ply_header(soup, PlyEncoding::ascii);
  const Out out(text);
  for (std::size_t v = 0; v < soup.vertices.size(); ++v) {
    const Vec3& p = soup.vertices[v];
    fmt::format_to(out, "{} {} {}", p.x, p.y, p.z);
    if (!soup.vertex_colours.empty()) write_colour(out, soup.vertex_colours[v]);
    text += '\n';
  }
  for (Size p = 0; p < soup.num_polygons(); ++p) {
    write_polygon(out, soup.polygon(p));
    if (!soup.face_colours.empty()) write_colour(out, soup.face_colours[static_cast<std::size_t>(p)]);
    text += '\n';
  }
  return text;
}

template <class T>
void append_little(std::string& bytes, T value) {
  char own[sizeof(T)];
  std::memcpy(own, &value, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) std::reverse(own, own + sizeof(T));
  bytes.append(own, sizeof(T));
}

void append_colour(std::string& bytes, const Colour& colour) {
  for (const std::uint8_t part : colour) bytes += static_cast<char>(part);
}

std::string ply_binary(const PolygonSoup& soup) {
  std::string bytes = ply_header(soup, PlyEncoding::binary_little_endian);
  for (std::size_t v = 0; v < soup.vertices.size(); ++v) {
    const Vec3& p = soup.vertices[v];
    for (const double part : {p.x, p.y, p.z}) append_little(bytes, part);
    if (!soup.vertex_colours.empty()) append_colour(bytes, soup.vertex_colours[v]);
  }
  for (Size p = 0; p < soup.num_polygons(); ++p) {
    append_little(bytes, static_cast<std::int32_t>(soup.polygon(p).size()));
    for (const NodeId v : soup.polygon(p)) append_little(bytes, v);
    if (!soup.face_colours.empty()) append_colour(bytes, soup.face_colours[static_cast<std::size_t>(p)]);
  }
  return bytes;
}

}  // namespace

std::optional<MeshFormat> mesh_format_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const auto& [known, format] : extensions) {
    if (extension == known) return format;
  }
  return {};
}

PolygonSoup parse_mesh(std::string_view bytes, MeshFormat format, std::string_view name) {
  switch (format) {
    case MeshFormat::obj:
      return detail::read_obj(bytes, name);
    case MeshFormat::off:
      return detail::read_off(bytes, name);
    case MeshFormat::ply:
      return detail::read_ply(bytes, name);
    case MeshFormat::stl:
      break;
  }
  return detail::read_stl(bytes, name);
}

PolygonSoup read_mesh(const std::filesystem::path& path, std::optional<MeshFormat> format) {
  if (!format) format = require_format(path);
  return parse_mesh(read_file(path), *format, path.string());
}

std::string write_mesh_text(const PolygonSoup& soup, MeshFormat format, PlyEncoding encoding) {
  switch (format) {
    case MeshFormat::obj:
      return obj_text(soup);
    case MeshFormat::off:
      return off_text(soup);
    case MeshFormat::ply:
      return encoding == PlyEncoding::ascii ? ply_ascii(soup) : ply_binary(soup);
    case MeshFormat::stl:
      break;
  }
  throw ConfigError("mesh: STL is read but not written; expected OBJ, OFF or PLY");
}

void write_mesh(const PolygonSoup& soup, const std::filesystem::path& path, PlyEncoding encoding) {
  write_file_atomically(path, write_mesh_text(soup, require_format(path), encoding));
}

}  // namespace tarn
