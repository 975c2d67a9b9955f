#include "tarn/datasets/mesh/ply_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tarn::detail {

namespace {

constexpr std::array<std::pair<std::string_view, PlyType>, 16> type_names{{{"char", PlyType::i8},
                                                                           {"int8", PlyType::i8},
                                                                           {"uchar", PlyType::u8},
                                                                           {"uint8", PlyType::u8},
                                                                           {"short", PlyType::i16},
                                                                           {"int16", PlyType::i16},
                                                                           {"ushort", PlyType::u16},
                                                                           {"uint16", PlyType::u16},
                                                                           {"int", PlyType::i32},
                                                                           {"int32", PlyType::i32},
                                                                           {"uint", PlyType::u32},
                                                                           {"uint32", PlyType::u32},
                                                                           {"float", PlyType::f32},
                                                                           {"float32", PlyType::f32},
                                                                           {"double", PlyType::f64},
                                                                           {"float64", PlyType::f64}}};

PlyType type_of(const TextLines& lines, std::string_view word) {
  const auto found =
      std::find_if(type_names.begin(), type_names.end(), [&](const auto& t) { return t.first == word; });
  if (found == type_names.end()) {
    lines.fail(
        fmt::format("unknown type {}; expected char, uchar, short, ushort, int, uint, float, double or "
                    "int8 to float64",
                    shown(word)));
  }
  return found->second;
}

PlyFormat read_format(const TextLines& lines, Words& words) {
  const std::string_view format = words.next(), version = words.next();
  if (version != "1.0") lines.fail(fmt::format("the format's version is {}; expected 1.0", shown(version)));
  if (format == "ascii") return PlyFormat::ascii;
  if (format == "binary_little_endian") return PlyFormat::little_endian;
  if (format == "binary_big_endian") return PlyFormat::big_endian;
  lines.fail(fmt::format("the format is {}; expected ascii, binary_little_endian or binary_big_endian",
                         shown(format)));
}

PlyElement read_element(const TextLines& lines, Words& words, const PlyHeader& header) {
  PlyElement element{.name = std::string(words.next()), .count = 0, .line = lines.number(), .properties = {}};
  if (element.name.empty()) lines.fail("an element without a name; expected a name and a count");
  element.count = lines.whole(words.next(), "the count of an element");
  if (element.count < 0)
    lines.fail(fmt::format("the count of an element is {}; expected at least 0", element.count));
  const bool taken = std::any_of(header.elements.begin(), header.elements.end(),
                                 [&](const PlyElement& e) { return e.name == element.name; });
  if (taken) lines.fail(fmt::format("element {} is there already; expected it once", shown(element.name)));
  return element;
}

PlyProperty read_property(const TextLines& lines, Words& words) {
  PlyProperty property;
  const std::string_view first = words.next();
  property.list = first == "list";
  if (property.list) {
    property.count_type = type_of(lines, words.next());
    if (is_real(property.count_type))
      lines.fail("the count of a list is a real number; expected a type of whole numbers");
    property.type = type_of(lines, words.next());
  } else {
    property.type = type_of(lines, first);
  }
  property.name = words.next();
  if (property.name.empty()) lines.fail("a property without a name; expected a type and a name");
  return property;
}

}  // namespace

Size ply_bytes(PlyType type) {
  constexpr std::array<Size, 8> bytes{1, 1, 2, 2, 4, 4, 4, 8};
  return bytes[static_cast<std::size_t>(type)];
}

PlyHeader read_ply_header(TextLines& lines) {
  if (!lines.next() || lines.line() != "ply")
    lines.fail(fmt::format("the file begins with {}; expected ply", shown(lines.line())));
  PlyHeader header;
  bool format_known = false;
  while (lines.next()) {
    Words words(lines.line());
    const std::string_view keyword = words.next();
    if (keyword == "end_header") {
      if (!format_known) lines.fail("the header names no format; expected a line such as format ascii 1.0");
      return header;
    }
    if (keyword == "comment" || keyword == "obj_info" || keyword.empty()) continue;
    if (keyword == "format") {
      header.format = read_format(lines, words);
      format_known = true;
    } else if (keyword == "element") {
      header.elements.push_back(read_element(lines, words, header));
    } else if (keyword == "property") {
      if (header.elements.empty()) lines.fail("a property before any element; expected an element");
      header.elements.back().properties.push_back(read_property(lines, words));
    } else {
      lines.fail(fmt::format(
          "unknown word {} in the header; expected format, element, property, comment, obj_info or "
          "end_header",
          shown(keyword)));
    }
  }
  lines.fail("the file ends inside the header; expected end_header");
}

}  // namespace tarn::detail
