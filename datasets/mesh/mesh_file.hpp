#pragma once

#include "tarn/datasets/mesh/polygon_soup.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tarn {

enum class MeshFormat { obj, off, ply, stl };

/// The format that an extension names, in any case; nothing for another extension.
[[nodiscard]] std::optional<MeshFormat> mesh_format_of(const std::filesystem::path& path);

/// Reads a mesh from an untrusted file; a format given wins over the extension.
///
/// OBJ: v and f (corners v, v/t, v//n, v/t/n; negative ones count back from the last vertex so far), other
/// words are skipped. OFF: also COFF, NOFF, STOFF, the counts on the same line or glued to the word; colours
/// are skipped. PLY: ASCII and binary of both byte orders, any further elements and properties skipped,
/// colours of faces and vertices kept. STL: ASCII and binary; each corner is a vertex of its own, and the
/// corner order turns where it is opposite to a stored normal.
///
/// Throws IoError if the file cannot be read, ConfigError for an unknown extension, DataError with file, line
/// (or byte) and the word in question for everything else: numbers that are none or not finite, counts and
/// indices out of range, polygons of fewer than three corners, files cut short.
[[nodiscard]] PolygonSoup read_mesh(const std::filesystem::path& path, std::optional<MeshFormat> format = {});

/// The same from bytes in memory; `name` stands for the file in messages.
[[nodiscard]] PolygonSoup parse_mesh(std::string_view bytes, MeshFormat format, std::string_view name);

enum class PlyEncoding { ascii, binary_little_endian };

/// A mesh as text or bytes of a file: OBJ, OFF and PLY; PLY takes the colours along. Numbers are the shortest
/// that read back as the same. Throws ConfigError for STL.
[[nodiscard]] std::string write_mesh_text(const PolygonSoup& soup, MeshFormat format,
                                          PlyEncoding encoding = PlyEncoding::binary_little_endian);

/// The same into a file, which appears whole or not at all; the extension says the format. Throws IoError,
/// and ConfigError for an extension that cannot be written.
void write_mesh(const PolygonSoup& soup, const std::filesystem::path& path,
                PlyEncoding encoding = PlyEncoding::binary_little_endian);

}  // namespace tarn
