#include "tarn/core/errors.hpp"
#include "tarn/datasets/mesh/mesh_readers.hpp"
#include "tarn/datasets/mesh/text_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

namespace tarn::detail {

namespace {

constexpr std::size_t header_bytes = 84;
constexpr std::size_t facet_bytes = 50;
constexpr std::size_t max_facets = static_cast<std::size_t>(std::numeric_limits<NodeId>::max()) / 3;

/// A little-endian number of four bytes.
std::uint32_t four_bytes(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

Vec3 vector_at(std::string_view bytes, std::size_t at) {
  const auto real = [&](std::size_t i) {
    return static_cast<double>(std::bit_cast<float>(four_bytes(bytes, at + 4 * i)));
  };
  return {real(0), real(1), real(2)};
}

/// Three vertices of their own; turned where a stored normal points the other way. A normal that is not
/// finite says nothing.
void add_facet(PolygonSoup& soup, const Vec3& normal, std::array<Vec3, 3> corners) {
  if (is_finite(normal) && dot(normal, area_vector(corners[0], corners[1], corners[2])) < 0) {
    std::swap(corners[1], corners[2]);
  }
  const auto first = static_cast<NodeId>(soup.vertices.size());
  soup.vertices.insert(soup.vertices.end(), corners.begin(), corners.end());
  soup.add_polygon(std::array<NodeId, 3>{first, first + 1, first + 2});
}

bool is_binary(std::string_view bytes) {
  return bytes.size() >= header_bytes && bytes.size() == header_bytes + facet_bytes * four_bytes(bytes, 80);
}

PolygonSoup read_binary(std::string_view bytes, std::string_view name) {
  PolygonSoup soup;
  const std::size_t count = (bytes.size() - header_bytes) / facet_bytes;
  if (count > max_facets) {
    throw DataError(fmt::format("{}: byte 80: {} facets; expected at most {}", name, count, max_facets));
  }
  soup.vertices.reserve(3 * count);
  for (std::size_t at = header_bytes; at < bytes.size(); at += facet_bytes) {
    std::array<Vec3, 3> corners;
    for (std::size_t c = 0; c < 3; ++c) {
      corners[c] = vector_at(bytes, at + 12 * (c + 1));
      if (is_finite(corners[c])) continue;
      throw DataError(fmt::format("{}: byte {}: a vertex is ({}, {}, {}); expected finite numbers", name,
                                  at + 12 * (c + 1), corners[c].x, corners[c].y, corners[c].z));
    }
    add_facet(soup, vector_at(bytes, at), corners);
  }
  return soup;
}

/// Whether two words are the same but for the case of their letters.
bool same_word(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

class AsciiStlReader {
 public:
  AsciiStlReader(std::string_view bytes, std::string_view name)
      : size_(bytes.size()), lines_(bytes, name), words_("") {}

  PolygonSoup read() {
    if (!same_word(next_word(), "solid")) {
      lines_.fail(fmt::format(
          "{} bytes are neither a binary STL (84 and 50 for each of the facets that byte 80 counts) "
          "nor begin with 'solid'; expected one of them",
          size_));
    }
    skip_line();
    for (bool open = true;;) {
      const std::string_view word = next_word();
      if (word.empty()) {
        if (open) lines_.fail("the file ends inside a solid; expected facet or endsolid");
        return std::move(soup_);
      }
      if (open && same_word(word, "facet")) {
        read_facet();
      } else if (same_word(word, open ? "endsolid" : "solid")) {
        open = !open;
        skip_line();
      } else {
        lines_.fail(fmt::format("got {}; expected {}", shown(word), open ? "facet or endsolid" : "solid"));
      }
    }
  }

 private:
  /// The next word, empty at the end of the file.
  std::string_view next_word() {
    while (!words_.more()) {
      if (!lines_.next()) return {};
      words_ = Words(lines_.line());
    }
    return words_.next();
  }

  /// A solid's name may hold blanks.
  void skip_line() { words_ = Words(""); }

  void expect(std::string_view keyword) {
    const std::string_view word = next_word();
    if (!same_word(word, keyword)) lines_.fail(fmt::format("got {}; expected {}", shown(word), keyword));
  }

  void read_facet() {
    if (soup_.vertices.size() / 3 >= max_facets) lines_.fail("more facets than 32 bits count");
    expect("normal");
    Vec3 normal;
    for (double* part : {&normal.x, &normal.y, &normal.z}) *part = read_normal_part();
    expect("outer");
    expect("loop");
    std::array<Vec3, 3> corners;
    for (Vec3& corner : corners) {
      expect("vertex");
      for (double* part : {&corner.x, &corner.y, &corner.z}) *part = lines_.real(next_word(), "a coordinate");
    }
    expect("endloop");
    expect("endfacet");
    add_facet(soup_, normal, corners);
  }

  double read_normal_part() {
    const std::string_view word = next_word();
    const std::optional<double> value = parse_real(word);
    if (!value) lines_.fail(fmt::format("part of a normal is {}; expected a number", shown(word)));
    return *value;
  }

  std::size_t size_;
  TextLines lines_;
  Words words_;
  PolygonSoup soup_;
};

}  // namespace

PolygonSoup read_stl(std::string_view bytes, std::string_view name) {
  return is_binary(bytes) ? read_binary(bytes, name) : AsciiStlReader(bytes, name).read();
}

}  // namespace tarn::detail
