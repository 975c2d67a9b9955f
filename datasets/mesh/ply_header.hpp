#pragma once

#include "tarn/datasets/mesh/text_lines.hpp"

#include <string>
#include <vector>

namespace tarn::detail {

enum class PlyFormat { ascii, little_endian, big_endian };
enum class PlyType { i8, u8, i16, u16, i32, u32, f32, f64 };

/// Bytes of one number in a binary file.
[[nodiscard]] Size ply_bytes(PlyType type);
[[nodiscard]] inline bool is_real(PlyType type) {
  return type == PlyType::f32 || type == PlyType::f64;
}

struct PlyProperty {
  std::string name;
  PlyType type = PlyType::f32;
  bool list = false;
  PlyType count_type = PlyType::u8;  ///< of a list
};

struct PlyElement {
  std::string name;
  Size count = 0;
  Size line = 0;  ///< of the header
  std::vector<PlyProperty> properties;
};

struct PlyHeader {
  PlyFormat format = PlyFormat::ascii;
  std::vector<PlyElement> elements;
};

/// Reads up to `end_header`; the lines stand at the first byte of the body then. Fails with the line for
/// anything that the format does not know.
[[nodiscard]] PlyHeader read_ply_header(TextLines& lines);

}  // namespace tarn::detail
